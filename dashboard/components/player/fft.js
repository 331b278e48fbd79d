// The power spectra of stretches of samples by a radix-2 fast Fourier transform.

class Spectrum {
  // A Gaussian window of `windowSamples` (as Praat's: exp(-12) at its edges), padded with zeros to `size`, a power of 2.
  constructor(windowSamples, size) {
    this.size = size;
    this.window = Float32Array.from({ length: windowSamples }, (_, index) => {
      const place = (2 * (index + 0.5)) / windowSamples - 1;
      return (Math.exp(-12 * place * place) - Math.exp(-12)) / (1 - Math.exp(-12));
    });
    this.real = new Float64Array(size);
    this.imaginary = new Float64Array(size);
    // Of each stage in turn: 1, 2, 4 ... twiddle factors.
    this.cosines = new Float64Array(size);
    this.sines = new Float64Array(size);
    for (let half = 1; half < size; half *= 2) {
      for (let offset = 0; offset < half; offset += 1) {
        this.cosines[half + offset] = Math.cos((Math.PI * offset) / half);
        this.sines[half + offset] = Math.sin((Math.PI * offset) / half);
      }
    }
    const bits = Math.log2(size);
    this.reversed = Uint16Array.from({ length: size }, (_, index) => {
      let mirrored = 0;
      for (let bit = 0; bit < bits; bit += 1) mirrored |= ((index >> bit) & 1) << (bits - 1 - bit);
      return mirrored;
    });
    this.powers = [new Float32Array(size / 2 + 1), new Float32Array(size / 2 + 1)];
  }

  // Powers of the bins 0 .. size / 2 around two places (in samples), at the cost of one: the samples around the second
  // are the imaginary part of what is transformed. The arrays are used again by the next call.
  around(samples, centre, otherCentre) {
    const { size, real, imaginary, powers } = this;
    this.fill(real, samples, centre);
    this.fill(imaginary, samples, otherCentre);
    this.transform();
    for (let bin = 0; bin <= size / 2; bin += 1) {
      const mirror = (size - bin) % size;
      const [re, im] = [real[bin], imaginary[bin]];
      const [mirrorRe, mirrorIm] = [real[mirror], imaginary[mirror]];
      powers[0][bin] = 0.25 * ((re + mirrorRe) ** 2 + (im - mirrorIm) ** 2);
      powers[1][bin] = 0.25 * ((im + mirrorIm) ** 2 + (re - mirrorRe) ** 2);
    }
    return powers;
  }

  fill(part, samples, centre) {
    const { window, reversed } = this;
    part.fill(0);
    const first = Math.round(centre - window.length / 2);
    const from = Math.max(0, -first);
    const to = Math.min(window.length, samples.length - first);
    for (let index = from; index < to; index += 1) part[reversed[index]] = samples[first + index] * window[index];
  }

  transform() {
    const { size, real, imaginary, cosines, sines } = this;
    for (let half = 1; half < size; half *= 2) {
      for (let start = 0; start < size; start += 2 * half) {
        for (let offset = 0; offset < half; offset += 1) {
          const cosine = cosines[half + offset];
          const sine = sines[half + offset];
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
