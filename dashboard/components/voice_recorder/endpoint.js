// When somebody who was asked to speak has begun and has ended, by level alone; the server looks for speech anew.

const FRAME_S = 0.02;
const FLOOR_S = 2; // the quietest moment of so long is the room
const QUIET_DB = -50; // the room at most, before so much was heard
const LOWEST_DB = -62; // what is below is silence, however quiet the room
const BEGINS_DB = 12; // over the room
const ENDS_DB = 8;
const SHORTEST_S = 0.12; // of voice: less is a click

class Endpoint {
  constructor(rateHz, { pauseS, longestS, waitsS }) {
    Object.assign(this, { rateHz, pauseS, longestS, waitsS });
    this.size = Math.round(FRAME_S * rateHz);
    this.rest = new Float32Array(0);
    this.recent = []; // smoothed levels of the last FLOOR_S
    this.levelDb = LOWEST_DB;
    this.nowS = this.voicedS = this.lastVoiceS = 0;
    this.begunS = null;
    this.peakDb = -Infinity; // of what was taken for a voice
    this.heard = false;
    this.done = false;
  }

  feed(samples) {
    const joined = new Float32Array(this.rest.length + samples.length);
    joined.set(this.rest);
    joined.set(samples, this.rest.length);
    let start = 0;
    for (; start + this.size <= joined.length && !this.done; start += this.size) {
      this.frame(joined.subarray(start, start + this.size));
    }
    this.rest = joined.slice(start);
  }

  frame(samples) {
    const db = levelOf(samples);
    this.levelDb += 0.4 * (db - this.levelDb);
    this.recent.push(this.levelDb);
    if (this.recent.length > FLOOR_S / FRAME_S) this.recent.shift();
    this.nowS += FRAME_S;
    const lowest = Math.min(...this.recent);
    const roomDb = Math.max(LOWEST_DB, this.nowS < FLOOR_S ? Math.min(lowest, QUIET_DB) : lowest);
    if (this.begunS !== null && this.peakDb < roomDb + BEGINS_DB) this.forget(); // it was the room
    if (db > roomDb + (this.begunS === null ? BEGINS_DB : ENDS_DB)) {
      this.begunS ??= this.nowS - FRAME_S;
      this.voicedS += FRAME_S;
      this.lastVoiceS = this.nowS;
      this.peakDb = Math.max(this.peakDb, db);
      this.heard ||= this.voicedS >= SHORTEST_S;
    } else if (!this.heard && this.nowS - this.lastVoiceS > this.pauseS / 2) {
      this.forget();
    }
    const quietS = this.nowS - this.lastVoiceS;
    this.done = (this.heard ? quietS >= this.pauseS : this.nowS >= this.waitsS) || this.nowS >= this.longestS;
  }

  forget() {
    this.begunS = null;
    this.voicedS = 0;
    this.peakDb = -Infinity;
    this.heard = false;
  }
}

// Mean level in dB, 0 for full scale.
function levelOf(samples) {
  let sum = 0;
  for (const value of samples) sum += value * value;
  return 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-10);
}
