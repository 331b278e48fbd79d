// The melody while one speaks: rough, by autocorrelation. What is scored is measured by the server.

const PITCH_RATE_HZ = 8000;
const LOWEST_HZ = 70;
const HIGHEST_HZ = 450;
const PERIODIC = 0.6; // share of the power that must come back after one period

// Hertz of the voice in `samples` (40 ms or more); NaN where there is none.
function pitchOf(samples, rateHz) {
  const step = Math.max(1, Math.round(rateHz / PITCH_RATE_HZ));
  const low = new Float32Array(Math.floor(samples.length / step));
  for (let index = 0; index < low.length; index += 1) {
    for (let at = 0; at < step; at += 1) low[index] += samples[index * step + at] / step;
  }
  const rate = rateHz / step;
  const longest = Math.floor(rate / LOWEST_HZ);
  const n = low.length - longest;
  if (n < longest || levelOf(low) < QUIET_DB) return NaN;
  const scores = [];
  for (let lag = Math.floor(rate / HIGHEST_HZ); lag <= longest; lag += 1) {
    let both = 0;
    let mine = 0;
    let later = 0;
    for (let at = 0; at < n; at += 1) {
      both += low[at] * low[at + lag];
      mine += low[at] ** 2;
      later += low[at + lag] ** 2;
    }
    scores.push([lag, both / Math.sqrt(mine * later + 1e-12)]);
  }
  const best = Math.max(...scores.map(([, score]) => score));
  if (best < PERIODIC) return NaN;
  return rate / scores.find(([, score]) => score > 0.9 * best)[0]; // the shortest period: not an octave below
}
