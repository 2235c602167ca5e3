/**
 * What every page view needs: show the banner to those who have not answered, take an answer,
 * run what it allows. All that only the second layer needs is in cookie-charter-preferences.js
 * and arrives when somebody asks for it. Runs as soon as it is there, after its own markup.
 */
import { parse, format, allows } from './decision.js';

/**
 * What the second layer gets from here.
 * @typedef {object} Api
 * @property {(category: string, provider?: string) => boolean} allowed
 * @property {() => boolean} decided
 * @property {(grants: string[]) => Promise<void>} answer
 * @property {string[]} everything
 *
 * What it gives in return.
 * @typedef {object} Preferences
 * @property {() => void} open
 * @property {() => void} close
 * @property {() => Promise<void>} erase deletes what is stored and no longer allowed
 */

const root = /** @type {HTMLElement} */ (document.getElementById('wcc'));
const status = /** @type {HTMLElement} */ (root.nextElementSibling);
const sheet = /** @type {HTMLLinkElement} */ (root.previousElementSibling);
const data = /** @type {Record<string, any>} */ (root.dataset);
const number = +data.number;
const life = +data.days * 86400;
/** @param {string | undefined} keys */
const list = (keys) => (keys ? keys.split(' ') : []);
const consent = list(data.consent);
const optOut = list(data.optOut);
const everything = [...consent, ...optOut];
const secure = location.protocol == 'https:';
// Host-bound over HTTPS: no other host can write it (RFC 6265bis, `__Host-`).
const name = (secure ? '__Host-' : '') + data.cookie;

const stored = () => document.cookie.match(`(^| )${name}=([^;]*)`)?.[2];
const now = () => Math.floor(Date.now() / 1000);

/** Whether the visitor has answered what this page asks, or something later. */
const decided = () => {
  const decision = parse(stored());
  return !!decision && decision.number >= number && decision.time + life > now();
};

/**
 * What needs consent waits for an answer to this very question. What is exempt but can be
 * refused is on until then, and stays refused whatever is asked later.
 * @param {string} category
 * @param {string} [provider]
 */
const allowed = (category, provider) => {
  const value = stored();
  const granted = allows(parse(value), category, provider);
  return optOut.includes(category) ? !value || granted : consent.includes(category) && decided() && granted;
};

// --- Running what is allowed -------------------------------------------------------------

/** @type {[string, string?][]} what ran on this page */
const ran = [];
let running = false;

/**
 * Put a gate's content in its place, its scripts one by one and in order: as a parser would,
 * each waits for the one before unless it is `async`, and one that fails stops none.
 * @param {HTMLTemplateElement} gate
 */
const activate = async (gate) => {
  const content = document.importNode(gate.content, true);
  const scripts = [...content.querySelectorAll('script')].map((script) => {
    const place = new Comment();
    script.replaceWith(place);
    return { script, place };
  });
  gate.replaceWith(content);
  for (const { script, place } of scripts) {
    place.replaceWith(script);
    if (script.src && !script.hasAttribute('async'))
      await new Promise((end) => (script.onload = script.onerror = end));
  }
};

const run = async () => {
  if (running) return;
  running = true;
  for (let gate; (gate = next()); ) {
    ran.push(pairOf(gate));
    await activate(gate);
  }
  running = false;
};

/**
 * What a gate waits for: category and provider.
 * @param {HTMLTemplateElement} gate
 * @returns {[string, string?]}
 */
const pairOf = (gate) => /** @type {any} */ (list(gate.dataset.cookieCharter));

/** The first gate that may open. One inside another appears when the other has opened. */
const next = () =>
  [...document.querySelectorAll('template')].find((gate) => allowed(...pairOf(gate)));

/** Running code cannot be called back: what ran and is no longer allowed costs a reload. */
const stale = () => ran.some((pair) => !allowed(...pair));

// --- Asking ------------------------------------------------------------------------------

const show = () => {
  root.hidden = !data.consent || decided();
};

/** In step with the cookie, which another tab may have changed. */
const sync = () => {
  if (stale()) return location.reload();
  show();
  run();
};

/** Where cookies are blocked, nothing was saved. */
const announce = () => {
  status.textContent = stored() && data.saved;
  setTimeout(() => (status.textContent = ''), 8000);
};

// --- Answering ---------------------------------------------------------------------------

/** @param {string | undefined} value @param {number} age */
const store = (value, age) => {
  document.cookie = `${name}=${value}; Path=/; Max-Age=${age}; SameSite=Lax${secure ? '; Secure' : ''}`;
};

/** @type {AbortController | undefined} */
let sending;

/**
 * Give the server the stored answer. Until it confirms, each page view tries again, once.
 * Not `keepalive`: what is sent must end with the page, or a slow confirmation could put an
 * answer back over the one that was given on the page after.
 */
const deliver = async () => {
  const decision = parse(stored());
  if (!decision || decision.delivered) return;
  const value = format({ ...decision, delivered: true });
  sending = new AbortController();
  const response = await fetch(data.decide, {
    method: 'POST',
    body: new URLSearchParams({ decision: value }),
    signal: sending.signal,
  });
  // What it will never take is not sent again. (When it took it, it has set the cookie.)
  if (!response.ok && response.status < 500) store(value, decision.time + life - now());
};

/**
 * Undo what is not allowed, and tell the server. What fails, because it is away or we are
 * offline, is tried again with the next page view; the answer holds all the same.
 * @param {boolean} [erase]
 */
const settle = async (erase) => {
  const value = stored();
  const failed = erase && (await load().then((second) => second.erase()).catch(() => true));
  await deliver().catch(() => {});
  if (failed) store(value, life);
};

/** Until the next frame is painted, or a moment where nothing paints. */
const frame = () =>
  new Promise((end) => {
    requestAnimationFrame(() => setTimeout(end));
    setTimeout(end, 99);
  });

/**
 * Take an answer: hide first, then store, then work.
 * @param {string[]} grants
 */
const answer = async (grants) => {
  const value = stored();
  const before = value ? parse(value)?.grants : optOut;
  root.hidden = true;
  await frame();
  // An earlier answer that the server still holds must not come back over this one.
  sending?.abort();
  store(format({ number, time: now(), grants, delivered: false }), life);
  // What is running could write again what we delete: the page that comes after it deletes.
  if (stale()) return location.reload();
  settle(before?.some((grant) => !grants.includes(grant)));
  announce();
  run();
};

// --- The second layer --------------------------------------------------------------------

/** @type {Promise<Preferences> | undefined} */
let loading;

/** @returns {Promise<Preferences>} */
const load = () =>
  (loading ??= import(data.module)
    .then((module) => module.default(allowed, decided, answer, everything))
    .catch((error) => {
      loading = undefined;
      throw error;
    }));

const opener = '[data-cookie-charter-open]';

/** @param {any} event @param {string} selector */
const within = (event, selector) => event.target.closest?.(selector);

document.addEventListener('click', async (event) => {
  if (event.ctrlKey || event.metaKey) return;
  if (within(event, '[data-wcc=accept]')) answer(everything);
  if (within(event, '[data-wcc=refuse]')) answer([]);
  const link = within(event, opener);
  if (!link) return;
  event.preventDefault();
  try {
    (await load()).open();
  } catch {
    // Without the second layer, the charter's form does the same.
    location.assign(link.href ?? root.querySelector('a') + '#wcc-choices');
  }
});

// Whoever points at the button will press it: have the second layer ready by then.
document.addEventListener('mouseover', (event) => within(event, opener) && load().catch(() => {}));

// --- At the start ------------------------------------------------------------------------

/** For what of the page has arrived. */
const ready = () => {
  run();
  if (document.querySelector('.wcc-form')) load().catch(() => {});
};

const start = () => {
  // Not before it is styled; a page whose stylesheet fails still asks.
  sheet.media = 'all';
  if (sheet.sheet) show();
  else sheet.onload = sheet.onerror = show;
  ready();
  // The page may still be arriving: we are at its top.
  document.addEventListener('DOMContentLoaded', ready);
  const decision = parse(stored());
  if (decision && !decision.delivered) settle(true);
  // After the reload that a withdrawal takes.
  const [entry] = performance.getEntriesByType('navigation');
  if (/** @type {PerformanceNavigationTiming} */ (entry)?.type == 'reload' && decision && now() - decision.time < 9) announce();
  // Another tab may have answered. Coming back from the back/forward cache is a change too.
  document.addEventListener('visibilitychange', () => document.hidden || sync());
};

// Nothing is shown or run for a page that nobody has opened yet.
if (/** @type {any} */ (document).prerendering) document.addEventListener('prerenderingchange', start, { once: true });
else start();
