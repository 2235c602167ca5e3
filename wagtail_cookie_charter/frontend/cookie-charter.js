/**
 * What every page view needs: show the banner to those who have not answered, and take an
 * answer. What follows from one, and what only the second layer needs, is in
 * cookie-charter-later.js, which arrives when it is needed. Runs as soon as it is there, after its own markup; build.py makes a second run in the same page an `update`.
 */
import { parse, format, allows } from './decision.js';

/**
 * What the other scripts get from here. A pair is a category and perhaps a provider.
 * @typedef {object} Api
 * @property {() => boolean} decided
 * @property {(grants: string[], method: string) => Promise<void>} answer
 * @property {() => HTMLElement} page the banner, which says what the page asks and where things are
 * @property {() => void} sync
 * @property {() => string | undefined} stored
 * @property {(value: string | undefined, age: number) => void} store
 * @property {() => HTMLTemplateElement[]} due the gates that may open
 * @property {(pair: string | undefined) => boolean} may whether the answer allows it; here it may be older than that
 * @property {(string | undefined)[]} ran
 *
 * @typedef {import('./cookie-charter-later.js').Later} Later
 */

/** @param {string | undefined} keys */
const list = (keys) => (keys ? keys.split(' ') : []);
const secure = location.protocol == 'https:';

/** @type {HTMLElement} */
let root;
/** @type {Record<string, any>} */
let data;
/** @type {string[]} */
let consent;
/** @type {string[]} */
let optOut;
let name = '';
let life = 0;

/** What the page asks. Where pages replace each other's body (Turbo), each brings its own. */
const read = () => {
  root = /** @type {HTMLElement} */ (document.querySelector('#wcc') ?? root);
  data = root.dataset;
  consent = list(data.consent);
  optOut = list(data.optOut);
  // Host-bound over HTTPS: no other host can write it (RFC 6265bis, `__Host-`).
  name = (secure ? '__Host-' : '') + data.cookie;
  life = +data.days * 86400;
};

/** What the browser refuses in the visitor's name (Global Privacy Control, R63). */
const signals = () => /** @type {any} */ (navigator).globalPrivacyControl === true;
/** @param {string} category */
const objected = (category) => signals() && list(data.gpc).includes(category);
const stored = () => document.cookie.match(`(^| )${name}=([^;]*)`)?.[2];
const now = () => Math.floor(Date.now() / 1000);

/** Whether the visitor has answered what this page asks, or something later. */
const decided = () => {
  const decision = parse(stored());
  return !!decision && decision.number >= (data.since ?? data.number) && decision.time + life > now();
};

/**
 * Whether a pair is allowed, written as gates write it: `media 1a`. What needs consent waits for
 * an answer to this very question. What is exempt but can be refused is on until then, and stays
 * refused whatever is asked later.
 * @param {string | undefined} pair
 */
const may = (pair) => {
  const [category, provider] = list(pair);
  const value = stored();
  const decision = parse(value);
  const granted = allows(decision, category, provider);
  // An answer given despite the signal is the visitor's own and later word (R64).
  if (objected(category) && !decision?.despite) return false;
  return optOut.includes(category) ? !value || granted : consent.includes(category) && decided() && granted;
};

/**
 * Whether it may also run here. A page older than the answer comes from a cache: it may hold what
 * was taken out before the visitor answered, and who answered was not told of.
 * @param {string | undefined} pair
 */
const runs = (pair) => !(/** @type {any} */ (parse(stored()))?.number > data.number) && may(pair);

// --- Running what is allowed -------------------------------------------------------------

/** @type {(string | undefined)[]} what ran on this page, or what it waited for */
const ran = [];

/**
 * Have what may run, run. Vendors that the settings name get to know first. Running code cannot
 * be called back: what ran here and is no longer allowed costs a reload.
 */
const run = async () => {
  if (ran.some((pair) => !runs(pair))) {
    await signal().catch(() => {});
    return location.reload();
  }
  await signal();
  if (due().length) await later('open');
};

/** The gates that may open. */
const due = () => [...document.querySelectorAll('template')].filter((gate) => runs(gate.dataset.cookieCharter));

const signal = async () => data.signals && (await import(data.signals)).default(runs);

// --- Asking ------------------------------------------------------------------------------

const hides = () => decided() || consent.every(objected);

const show = async () => {
  // Those who are asked again, or whose browser answers for them, are told so first.
  if (!hides() && (stored() || signals())) await later('introduce').catch(() => {});
  root.hidden = hides();
  // Making room at the foot of the page lays all of it out: not while the banner is awaited.
  frame().then(() => document.documentElement.classList.toggle('wcc-asks', !root.hidden));
};

/** In step with the cookie, which another tab may have changed. */
const sync = () => {
  show();
  run();
};

// --- Answering ---------------------------------------------------------------------------

/** @param {string | undefined} value @param {number} age */
const store = (value, age) => {
  document.cookie = `${name}=${value}; Path=/; Max-Age=${age}; SameSite=Lax${secure ? '; Secure' : ''}`;
};

/** Until the next frame is painted, or a moment where nothing paints. */
const frame = () =>
  new Promise((end) => {
    requestAnimationFrame(() => setTimeout(end));
    setTimeout(end, 99);
  });

/**
 * Take an answer: hide first, then store, then work.
 * @param {string[]} grants @param {string} method how it was given, as `decision.Method` has it
 */
const answer = async (grants, method) => {
  const before = stored() ? parse(stored())?.grants : optOut;
  root.hidden = true;
  await frame();
  // The site may want to explain, or ask again; nobody can be kept from refusing, nor from a
  // withdrawal, which is the last method by the alphabet (and may write what is left anew).
  if (tell('change', grants, grants.some((grant) => !before?.includes(grant) && method < 'w'))) return show();
  store(format({ number: +data.number, time: now(), grants, despite: signals() }), life);
  // Where this does not come, the next page view does it.
  later('follow', before, grants, method).catch(() => {});
  run();
  tell('changed', grants);
};

/**
 * An event for the site's own scripts; whether one of them cancelled it.
 * @param {string} what @param {string[]} [grants] @param {boolean} [cancelable]
 */
const tell = (what, grants, cancelable) =>
  !document.dispatchEvent(new CustomEvent('cookie-charter:' + what, { cancelable, detail: { grants } }));

// --- The second layer --------------------------------------------------------------------

/**
 * Have the module that arrives when it is needed do something.
 * @type {<What extends keyof Later>(what: What, ...how: Parameters<Later[What]>) => Promise<void>}
 */
const later = async (what, ...how) => /** @type {any} */ ((await import(data.later)).default(api))[what](...how);

/** Have the second layer there by the time somebody asks for it. */
const prepare = () => later('prepare').catch(() => {});

const opener = '[data-cookie-charter-open]';

document.addEventListener('click', async (/** @type {any} */ event) => {
  const method = event.target.closest('[data-wcc]')?.dataset.wcc;
  if (method) answer(method == 'accept' ? [...consent, ...optOut] : [], method);
  const more = event.target.closest('[data-cookie-charter-allow]');
  if (more) later('allow', more.dataset.cookieCharterAllow);
  const link = event.target.closest(opener);
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  try {
    await later('ask');
  } catch {
    // Without the second layer, the charter's form does the same.
    location.href = link.href ?? root.querySelector('a') + '#wcc-choices';
  }
});

// Whoever points at the button will press it: have the second layer ready by then.
document.addEventListener('mouseover', (/** @type {any} */ event) => event.target.closest(opener) && prepare());

// --- At the start ------------------------------------------------------------------------

/** For what of the page has arrived. */
const ready = () => {
  run();
  if (document.querySelector('.wcc-form')) prepare();
};

/** Look at the page again: it is new, or more of it has come. */
const update = () => {
  read();
  // Where what came has no banner, ours stands nowhere: then there is no sheet, and nothing to show.
  const sheet = /** @type {HTMLLinkElement} */ (root.previousElementSibling ?? root);
  // Not before it is styled; a page whose stylesheet fails still asks.
  sheet.media = 'all';
  if (sheet.sheet) show();
  else sheet.onload = sheet.onerror = show;
  return frame().then(ready);
};

const start = async () => {
  await update();
  // The page may still be arriving: we are at its top.
  document.addEventListener('DOMContentLoaded', ready);
  // Another tab may have answered. Coming back from the back/forward cache is a change too.
  document.addEventListener('visibilitychange', () => document.hidden || sync());
  // The server does not know the answer yet (`~`); or there is a cookie more than ours, which may
  // be one that was refused where it did not show; or the browser may have answered.
  if (stored() ? /[~;]/.test(document.cookie) : signals()) later('resume');
};

/** @type {Api} */
const api = {
  decided,
  answer,
  page: () => root,
  sync,
  stored,
  store,
  due,
  may,
  ran,
};

/** For the site's own scripts. What is waited for is written as gates write it: `media 1a`. */
/** @type {any} */ (window).cookieCharter = {
  allows: runs,
  /** @param {string} pair @param {() => void} callback */
  onGrant: (pair, callback) => later('onGrant', pair, callback),
  open: () => later('ask'),
  update,
};
read();
tell('ready');

// Nothing is shown or run for a page that nobody has opened yet.
if (/** @type {any} */ (document).prerendering) document.addEventListener('prerenderingchange', start);
else start();
