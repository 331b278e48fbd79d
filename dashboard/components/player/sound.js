// A recording as samples, and playing a stretch of it exactly, at any speed.

const WAV_HEADER_BYTES = 44; // of the plain mono 16-bit WAV that the server writes
const SPEECH_DB = -30; // relative to the loudest: where the speech begins and ends, roughly
const SPEECH_FRAME_S = 0.02;
const LOOP_S = 6; // a short loop is repeated in the sound itself, so that there is no gap at its seam
const TAIL_S = 0.05; // of silence, so that the very end of a stretch is played too

class Sound {
  constructor(base64) {
    const bytes = bytesOf(base64);
    const view = new DataView(bytes.buffer);
    this.rateHz = view.getUint32(24, true);
    this.integers = new Int16Array(bytes.buffer, WAV_HEADER_BYTES, Math.floor((bytes.length - WAV_HEADER_BYTES) / 2));
    this.samples = new Float32Array(this.integers);
    for (let index = 0; index < this.samples.length; index += 1) this.samples[index] /= 32768;
    this.durationS = this.samples.length / this.rateHz;
    this.header = bytes.slice(0, WAV_HEADER_BYTES);
    this.speech = this.findSpeech();
  }

  // From when to when somebody speaks, by level alone: good enough to lay two recordings over each other.
  findSpeech() {
    const size = Math.round(SPEECH_FRAME_S * this.rateHz);
    const powers = [];
    for (let start = 0; start < this.samples.length; start += size) {
      let sum = 0;
      for (const value of this.samples.subarray(start, start + size)) sum += value * value;
      powers.push(sum);
    }
    const least = Math.max(...powers, 0) * 10 ** (SPEECH_DB / 10);
    const first = powers.findIndex((power) => power >= least);
    const last = powers.findLastIndex((power) => power >= least);
    return { fromS: Math.max(0, first) * SPEECH_FRAME_S, toS: Math.min(this.durationS, (last + 1) * SPEECH_FRAME_S) };
  }

  // The second of `other` that lies as far in its speech as `seconds` in this one's, and as far before or after it.
  inOther(other, seconds) {
    const [mine, theirs] = [this.speech, other.speech];
    if (seconds <= mine.fromS) return theirs.fromS * (seconds / Math.max(mine.fromS, 1e-3));
    if (seconds >= mine.toS) {
      const share = (seconds - mine.toS) / Math.max(this.durationS - mine.toS, 1e-3);
      return theirs.toS + share * (other.durationS - theirs.toS);
    }
    return theirs.fromS + ((seconds - mine.fromS) / (mine.toS - mine.fromS)) * (theirs.toS - theirs.fromS);
  }

  // A WAV file of a stretch, several times over where it is to loop.
  wav(fromS, toS, loops) {
    const part = this.integers.subarray(Math.round(fromS * this.rateHz), Math.max(1, Math.round(toS * this.rateHz)));
    const copies = loops ? Math.max(1, Math.ceil((LOOP_S * this.rateHz) / Math.max(1, part.length))) : 1;
    const tail = loops ? 0 : Math.round(TAIL_S * this.rateHz);
    const content = new Int16Array(part.length * copies + tail);
    for (let copy = 0; copy < copies; copy += 1) content.set(part, copy * part.length);
    const header = this.header.slice();
    const view = new DataView(header.buffer);
    view.setUint32(4, WAV_HEADER_BYTES - 8 + content.byteLength, true);
    view.setUint32(40, content.byteLength, true);
    return new Blob([header, content], { type: "audio/wav" });
  }
}

// The browser's own audio element (it keeps the pitch at other speeds), playing one stretch of one sound.
class Playback {
  static current = null;

  // `onMove(fromS, toS)` is called while it plays, with the stretch that was just played; `onState` when it starts,
  // stops or ends.
  constructor(onMove, onState) {
    this.audio = new Audio();
    this.audio.preload = "auto";
    this.audio.preservesPitch = true;
    this.onMove = onMove;
    this.onState = onState;
    this.source = null;
    this.audio.addEventListener("play", () => this.follow());
    this.audio.addEventListener("timeupdate", () => this.moved());
    this.audio.addEventListener("ended", () => this.ended());
    for (const name of ["play", "pause", "ratechange"]) this.audio.addEventListener(name, onState);
  }

  get isPlaying() {
    return !this.audio.paused && !this.audio.ended;
  }

  // Have a stretch ready, so that it plays at once.
  open(sound, fromS, toS, loops) {
    const { source } = this;
    if (source && source.sound === sound && source.fromS === fromS && source.toS === toS && source.loops === loops) return;
    this.release();
    this.source = { sound, fromS, toS, loops, url: URL.createObjectURL(sound.wav(fromS, toS, loops)) };
    this.audio.src = this.source.url;
    this.audio.loop = loops;
  }

  // Play `sound` from `atS` to `toS`; where it loops, again from `fromS`. Another player of the page falls silent.
  play(sound, fromS, toS, atS, loops) {
    if (Playback.current !== this) Playback.current?.pause();
    Playback.current = this;
    this.open(sound, fromS, toS, loops);
    this.audio.currentTime = Math.max(0, atS - fromS);
    this.lastS = atS;
    // Browsers refuse to play before the first click or key: the play button then waits for it.
    return this.audio.play().catch(() => this.onState());
  }

  pause() {
    this.audio.pause();
  }

  set speed(speed) {
    this.audio.defaultPlaybackRate = speed;
    this.audio.playbackRate = speed;
  }

  set volume(volume) {
    this.audio.volume = volume;
  }

  // The second of the sound that is being played.
  get nowS() {
    const { fromS, toS, loops } = this.source;
    const played = this.audio.currentTime;
    return loops ? fromS + (played % (toS - fromS)) : Math.min(toS, fromS + played);
  }

  follow() {
    const step = () => {
      this.moved();
      if (this.isPlaying) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  moved() {
    if (!this.source || !this.isPlaying) return;
    const { nowS, source } = this;
    if (nowS < this.lastS) {
      this.onMove(this.lastS, source.toS);
      this.lastS = source.fromS;
    }
    this.onMove(this.lastS, nowS);
    this.lastS = nowS;
  }

  ended() {
    if (!this.source) return; // it was let go while the event was on its way
    this.onMove(this.lastS, this.source.toS);
    this.onState();
  }

  release() {
    this.audio.pause();
    if (this.source) URL.revokeObjectURL(this.source.url);
    this.source = null;
  }

  dispose() {
    if (Playback.current === this) Playback.current = null;
    this.release();
    this.audio.removeAttribute("src");
  }
}
