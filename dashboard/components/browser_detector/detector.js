// The detector of a bundle, as its runner.py has it: sound at 16 kHz comes in pieces, detections go out.

const RATE_HZ = 16_000;

// From the logits of one word, window by window, to its detections.
class Word {
  constructor(about, hop) {
    Object.assign(this, { about, hop });
    this.last = [];
    this.armed = true;
    this.since = Infinity;
  }

  step(logit) {
    const { word, votes, of, threshold, hysteresis, lockout_s: lockoutS, temperature } = this.about;
    this.last = [...this.last, logit].slice(-of);
    const vote = this.last.length < votes ? -Infinity : [...this.last].sort((a, b) => b - a)[votes - 1];
    this.since += 1;
    if (vote < threshold - hysteresis) this.armed = true;
    const detected = this.armed && this.since > Math.round((lockoutS * RATE_HZ) / this.hop) && vote >= threshold;
    if (detected) {
      this.armed = false;
      this.since = 0;
    }
    return { word, vote, detected, score: 1 / (1 + Math.exp(-vote / temperature)) };
  }
}

class Detector {
  constructor(ort, session, about) {
    Object.assign(this, { ort, session, about });
    this.words = (about.words ?? [{}]).map((word) => new Word({ ...about, ...word }, about.hop_samples));
    // A word at the very start has a window, too: as much silence before as leaves the first window some sound.
    const { window_samples: span, hop_samples: step } = about;
    const silence = Math.floor((span - 1) / step) * step;
    this.buffer = new Float32Array(silence);
    this.dropped = -silence; // samples that have gone from the start
    this.frames = new Float32Array(0); // that the front end has made of the buffer's beginning
    this.width = session.inputMetadata.find(({ name }) => name === "before")?.shape[1]; // of a frame
  }

  // The logits of the windows in sound that begins where the frames do, which the front end does not hear again.
  async logits(sound, windows) {
    const { Tensor } = this.ort;
    const { hop_samples: step, frame_hop_samples: every } = this.about;
    if (!this.width) return (await this.session.run({ sound: new Tensor("float32", sound, [sound.length]) })).logit.data;
    const n = this.frames.length / this.width;
    const unheard = sound.slice(n * every);
    const { logit, frames } = await this.session.run({
      sound: new Tensor("float32", unheard, [unheard.length]),
      before: new Tensor("float32", this.frames, [n, this.width]),
    });
    this.frames = frames.data.slice(((windows * step) / every) * this.width);
    return logit.data;
  }

  // Resolves to one { atS, word, score, vote, detected } for each word in each window that is complete.
  async feed(samples) {
    const joined = new Float32Array(this.buffer.length + samples.length);
    joined.set(this.buffer);
    joined.set(samples, this.buffer.length);
    this.buffer = joined;
    const { window_samples: span, hop_samples: step } = this.about;
    const windows = 1 + Math.floor((this.buffer.length - span) / step);
    if (windows < 1) return [];
    const logits = await this.logits(this.buffer.slice(0, span + (windows - 1) * step), windows);
    const n = this.words.length;
    const results = Array.from(logits, (value, number) => ({
      atS: (this.dropped + span + step * Math.floor(number / n)) / RATE_HZ,
      ...this.words[number % n].step(value),
    }));
    this.buffer = this.buffer.slice(windows * step);
    this.dropped += windows * step;
    return results;
  }
}
