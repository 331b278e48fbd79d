// The power spectrum of a stretch of samples by a radix-2 fast Fourier transform.

class Spectrum {
  // `windowSamples` long Gaussian window (as Praat's: exp(-12) at its edges), padded with zeros to `size`, a power of 2.
  constructor(windowSamples, size) {
    this.size = size;
    this.window = Float32Array.from({ length: windowSamples }, (_, index) => {
      const place = (2 * (index + 0.5)) / windowSamples - 1;
      return (Math.exp(-12 * place * place) - Math.exp(-12)) / (1 - Math.exp(-12));
    });
    this.real = new Float32Array(size);
    this.imaginary = new Float32Array(size);
    this.cosines = Float32Array.from({ length: size / 2 }, (_, index) => Math.cos((2 * Math.PI * index) / size));
    this.sines = Float32Array.from({ length: size / 2 }, (_, index) => Math.sin((2 * Math.PI * index) / size));
    const bits = Math.log2(size);
    this.reversed = Uint16Array.from({ length: size }, (_, index) => {
      let mirrored = 0;
      for (let bit = 0; bit < bits; bit += 1) mirrored |= ((index >> bit) & 1) << (bits - 1 - bit);
      return mirrored;
    });
    this.power = new Float32Array(size / 2 + 1);
  }

  // Power of the bins 0 .. size / 2 around the sample `centre`; the array is used again by the next call.
  around(samples, centre) {
    const { size, window, real, imaginary, reversed, power } = this;
    real.fill(0);
    imaginary.fill(0);
    const first = Math.round(centre - window.length / 2);
    for (let index = 0; index < window.length; index += 1) {
      const value = samples[first + index];
      if (value !== undefined) real[reversed[index]] = value * window[index];
    }
    this.transform();
    for (let bin = 0; bin <= size / 2; bin += 1) power[bin] = real[bin] * real[bin] + imaginary[bin] * imaginary[bin];
    return power;
  }

  transform() {
    const { size, real, imaginary, cosines, sines } = this;
    for (let half = 1; half < size; half *= 2) {
      const stride = size / (2 * half);
      for (let start = 0; start < size; start += 2 * half) {
        for (let offset = 0; offset < half; offset += 1) {
          const cosine = cosines[offset * stride];
          const sine = sines[offset * stride];
          const low = start + offset;
          const high = low + half;
          const re = real[high] * cosine + imaginary[high] * sine;
          const im = imaginary[high] * cosine - real[high] * sine;
          real[high] = real[low] - re;
          imaginary[high] = imaginary[low] - im;
          real[low] += re;
          imaginary[low] += im;
        }
      }
    }
  }
}
