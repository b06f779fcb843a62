// Scales of axes, linear and logarithmic, and their ticks.

function makeScale([low, high], [from, to], log) {
  const turn = log ? Math.log10 : (value) => value;
  const [a, b] = [turn(low), turn(high)];
  const span = b - a || 1;
  return {
    low, high, log,
    at: (value) => from + ((turn(value) - a) / span) * (to - from),
    back: (pixel) => {
      const value = a + ((pixel - from) / (to - from)) * span;
      return log ? 10 ** value : value;
    },
    ticks: () => (log ? logTicks(low, high) : evenTicks(low, high)),
  };
}

function evenTicks(low, high, wanted = 6) {
  const raw = (high - low || 1) / wanted, power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((one) => one * power >= raw);
  const ticks = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + 1e-9 * step; n += 1) {
    ticks.push(Number((n * step).toPrecision(12)));
  }
  return ticks;
}

function logTicks(low, high) {
  const decades = Math.log10(high / low);
  if (decades < 0.5) {
    return evenTicks(low, high);
  }
  const steps = decades < 2.2 ? [1, 2, 5] : [1], every = Math.ceil(decades / 6);
  const ticks = [];
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  for (let n = first; n <= last; n += every) {
    ticks.push(...steps.map((step) => Number(`${step}e${n}`)));
  }
  return ticks.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
}

// The ends of some numbers, with a little room; of positive ones where log.
function extent(values, log) {
  const found = values.filter((v) => Number.isFinite(v) && (!log || v > 0));
  if (!found.length) {
    return log ? [1, 10] : [0, 1];
  }
  let [low, high] = [Infinity, -Infinity];
  for (const value of found) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (log) {
    const room = Math.max((high / low) ** 0.03, 1.02);
    return [low / room, high * room];
  }
  const room = (high - low) * 0.04 || Math.abs(high) * 0.05 || 1;
  return [low - room, high + room];
}
