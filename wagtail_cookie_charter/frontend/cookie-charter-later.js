/**
 * What a first view seldom needs: the second layer, and what follows from an answer. What
 * waited for it opens, what it does not allow is undone, the server gets to know, and the
 * visitor is told.
 */
import { parse, format } from './decision.js';
import { add, fits, keys } from './grants.js';
import { check, inForce, outdated, renew, stands } from './in-force.js';
import { preferences } from './preferences.js';
import { methodOf, newReceipt, receiptOf } from './receipt.js';

/** @typedef {import('./cookie-charter.js').Api} Api */

/**
 * @typedef {object} Later
 * @property {() => Promise<void>} ask open the second layer
 * @property {() => void} prepare have it there, by the time somebody asks for it
 * @property {() => Promise<void>} open the gates that may open
 * @property {(pair: string) => void} allow one thing more: `media`, or `media 1a`
 * @property {(before: string[] | undefined, grants: string[], method?: string) => Promise<void>} follow
 * @property {() => void} resume what an earlier page began
 * @property {() => Promise<void>} introduce say why this visitor in particular is asked
 * @property {(pair: string, callback: () => void) => void} onGrant
 */

/** @type {Later} */
let later;

/** @param {Api} api @returns {Later} */
export default (api) => (later ??= begin(api));

/** @param {Api} api @returns {Later} */
const begin = (api) => {
  listen(api);
  return {
    ask: async () => {
      const charter = api.page().querySelector('a')?.href;
      const before = answers;
      await check(api);
      if (outdated(api) && charter) return renew(`${charter}#wcc-choices`);
      const second = await load(api).catch((error) => {
        if (answers == before) throw error;
      });
      // Who has answered meanwhile, where it took long, has no need of it.
      if (answers == before) second?.open();
    },
    // What stands in a page that came later, too.
    prepare: () => load(api).then((second) => second.attach(), () => {}),
    open: () => open(api),
    allow: (pair) => allow(api, pair),
    async follow(before, grants, method) {
      answers++;
      stamp(api, method);
      // The page is about to be loaded again, because of what is running: that one goes on.
      if (api.ran.some((pair) => !api.may(pair))) return;
      if (method != 'signal') announce(api);
      return settle(api, before?.some((grant) => !grants.includes(grant)) || leftovers(api), true);
    },
    resume: () => resume(api),
    introduce: () => introduce(api),
    onGrant: (pair, callback) => onGrant(api, pair, callback),
  };
};

/** Whether the browser refuses in the visitor's name (Global Privacy Control). */
const signal = () => /** @type {any} */ (navigator).globalPrivacyControl === true;

// --- The second layer --------------------------------------------------------------------

/** @type {ReturnType<typeof preferences> | undefined} */
let loading;

/** How many answers were given on this page. */
let answers = 0;

/** Once; what did not come is asked for again. @param {Api} api */
const load = (api) =>
  (loading ??= preferences(api).catch((error) => {
    loading = undefined;
    throw error;
  }));

/**
 * Before the banner is shown, so that nothing in it moves: that the browser's signal was heard
 * (R63) and, for those who are asked again, what is new since they answered (R65). A slow server
 * keeps nobody from answering.
 * @param {Api} api
 */
const introduce = async (api) => {
  api.page().querySelector('[data-wcc-gpc]')?.toggleAttribute('hidden', !signal());
  const decision = parse(api.stored());
  if (!decision) return;
  const late = new Promise((end) => setTimeout(end, 2000));
  const second = /** @type {any} */ (await Promise.race([load(api), late]));
  const news = second?.news(decision.number);
  if (!news) return;
  news.hidden = false;
  api.page().querySelector('h2')?.after(news);
};

// --- What waited -------------------------------------------------------------------------

/** The scripts, in the order of the page: each begins when those before it have ended, or hang. */
let queue = Promise.resolve();

/**
 * Put the gates' content in their places: all that can be seen at once, then the scripts, one
 * by one as a parser would. A gate inside another appears when that one has opened. On a page
 * that is not in force any more, none opens.
 * @param {Api} api
 */
const open = async (api) => {
  if (!(await inForce(api))) return excuse(api);
  const found = [];
  for (let gates; (gates = api.due()).length; ) {
    api.ran.push(...gates.map((gate) => gate.dataset.cookieCharter));
    found.push(...gates.flatMap(unwrap));
  }
  found.sort((one, other) => (one.place.compareDocumentPosition(other.place) & 4 ? -1 : 1));
  for (const { script, place } of found) queue = queue.then(() => execute(script, place));
};

/** Say in the cards why nothing came of what is allowed. @param {Api} api */
const excuse = (api) => {
  for (const { previousElementSibling: card } of api.due()) {
    const note = /** @type {HTMLElement | null | undefined} */ (
      card?.hasAttribute('data-cookie-charter-placeholder') && card.querySelector('[data-cookie-charter-late]')
    );
    if (note) note.textContent = note.dataset.cookieCharterLate ?? '';
  }
};

/**
 * The nodes themselves move. Copies would lose what makes their scripts the page's own: the
 * nonce, and for Trusted Types that the parser wrote them.
 * @param {HTMLTemplateElement} gate
 */
const unwrap = (gate) => {
  const scripts = [...gate.content.querySelectorAll('script')].map((script) => {
    const place = new Comment();
    script.replaceWith(place);
    return { script, place };
  });
  const first = /** @type {HTMLElement | null} */ (gate.content.firstElementChild);
  const placeholder = gate.previousElementSibling;
  const media = /** @type {NodeListOf<HTMLMediaElement>} */ (gate.content.querySelectorAll('video, audio'));
  gate.replaceWith(gate.content);
  // These gave up looking for a source where nothing loads.
  for (const element of media) element.load();
  if (placeholder?.hasAttribute('data-cookie-charter-placeholder')) {
    const focused = placeholder.contains(document.activeElement);
    placeholder.remove();
    // Whoever pressed its button goes on from what came in its place.
    if (focused && first) {
      if (first.tabIndex < 0) first.tabIndex = -1;
      first.focus();
    }
  }
  return scripts;
};

const CLASSIC = /^((text|application)\/(x-)?(java|ecma)script|text\/(javascript1\.[0-5]|jscript|livescript))$/i;

/** Milliseconds that a script may hold up those after it. */
const HOLD = 5000;

/** Whether a browser runs it at all (HTML standard, "prepare the script element").
 * @param {HTMLScriptElement} script */
const runs = (script) => {
  /** @param {string} name */
  const words = (name) => script.getAttribute(name)?.trim().toLowerCase();
  const language = words('language');
  // What is there but empty counts.
  const type = script.getAttribute('type') || (script.hasAttribute('type') || !language ? 'text/javascript' : `text/${language}`);
  if (/^module$/i.test(type.trim())) return true;
  if (script.noModule || !CLASSIC.test(type.trim())) return false;
  const [target, event] = [words('for'), words('event')];
  return target == null || event == null || (target == 'window' && /^onload(\(\))?$/.test(event));
};

/**
 * Run a script, and wait as a parser would: for the file, unless it is `async`. One that fails
 * stops none; nor does one whose host hangs, or that the browser never runs, as what came by
 * `innerHTML`: nobody tells us of those, so there is a limit.
 * @param {HTMLScriptElement} script @param {Comment} place
 */
const execute = async (script, place) => {
  // Removed meanwhile, with the part of the page it was in.
  if (!place.isConnected) return;
  if (!runs(script) || !script.src || script.hasAttribute('async')) return writing(() => place.replaceWith(script));
  await new Promise((end) => {
    for (const event of ['load', 'error']) script.addEventListener(event, end, { once: true });
    setTimeout(end, HOLD);
    place.replaceWith(script);
  });
};

/**
 * A page that has been read cannot be written into: the browser would empty it first. (It
 * refuses that to files by itself.)
 * @param {() => void} work
 */
const writing = (work) => {
  const refuse = () => console.warn('cookie-charter: document.write was refused, since the page is complete.');
  document.write = document.writeln = refuse;
  try {
    work();
  } finally {
    // The page's own method comes back.
    Reflect.deleteProperty(document, 'write');
    Reflect.deleteProperty(document, 'writeln');
  }
};

/** What a site's own script waits for: run once, as soon as it is allowed.
 * @param {Api} api @param {string} pair @param {() => void} callback */
const onGrant = (api, pair, callback) => {
  const events = ['cookie-charter:changed', 'visibilitychange'];
  const allowed = () => /** @type {any} */ (window).cookieCharter.allows(pair);
  let called = false;
  const look = async () => {
    // It may be withdrawn, or another look come first, while the server is asked.
    if (!allowed() || !(await inForce(api)) || !allowed() || called) return;
    called = true;
    for (const event of events) document.removeEventListener(event, look);
    api.ran.push(pair);
    callback();
  };
  for (const event of events) document.addEventListener(event, look);
  look();
};

// --- What is allowed in passing ------------------------------------------------------------

/**
 * The button of a placeholder. What was not asked yet, or is asked anew, is not granted along
 * with it: only what nobody has to ask for stays.
 * @param {Api} api @param {string} pair
 */
const allow = async (api, pair) => {
  await inForce(api);
  if (outdated(api)) return renew(location.href);
  const { optOut, gpc } = api.page().dataset;
  const decision = parse(api.stored());
  const before = stands(api) ? (decision?.grants ?? []) : keys(optOut).filter((key) => api.may(key));
  const [category, provider] = pair.split(' ');
  // Nor what the browser refuses: a grant from before its signal does not become one despite it.
  const kept = before.filter((grant) => decision?.despite || !signal() || !keys(gpc).includes(grant.split(/[-+]/)[0]));
  const grants = add(kept, category, provider);
  if (fits(grants)) api.answer(grants, 'placeholder');
  else (await load(api)).open();
};

// --- The server and the visitor ------------------------------------------------------------

/**
 * Whether a refusal may find something to delete though nothing was granted: an answer expires,
 * what was stored under it may not; and a cookie may show itself on some pages only.
 * @param {Api} api
 */
const leftovers = (api) => {
  const { consent, optOut } = api.page().dataset;
  if (!api.decided() || [...keys(consent), ...keys(optOut)].every(api.may)) return false;
  try {
    return document.cookie.split('; ').length > 1 || localStorage.length + sessionStorage.length > 0;
  } catch {
    // Storage is switched off, so nothing is in it.
    return false;
  }
};

/** Where cookies are blocked, nothing was saved. @param {Api} api */
const announce = (api) => {
  const status = api.page().nextElementSibling;
  if (!status) return;
  status.textContent = (api.stored() && api.page().dataset.saved) ?? '';
  setTimeout(() => (status.textContent = ''), 8000);
};

/** @type {AbortController | undefined} */
let sending;

// An earlier answer that the server still holds must not come back over the next one.
document.addEventListener('cookie-charter:change', () => sending?.abort());
const tabs = window.BroadcastChannel && new BroadcastChannel('cookie-charter');

/**
 * Hear of the answers in other windows, in sight or not: what was withdrawn there stops here,
 * where this module has made it run. @param {Api} api
 */
const listen = (api) => {
  if (tabs)
    tabs.onmessage = ({ data }) => {
      sending?.abort();
      if (data) forget();
      api.sync();
    };
};

/** htmx keeps pages as they were when they were left: with what was allowed then. */
const forget = () => {
  for (const kind of /** @type {const} */ (['localStorage', 'sessionStorage']))
    try {
      for (const key of Object.keys(window[kind])) if (key.startsWith('htmx-history-')) window[kind].removeItem(key);
    } catch {
      // Storage is switched off, so nothing is in it.
    }
};

/** Seconds that an answer given now has to live. @param {Api} api @param {number} time */
const rest = (api, time) => time + Number(api.page().dataset.days) * 86400 - Math.floor(Date.now() / 1000);

/**
 * Number the answer, once. Of a refusal, the server's confirmation takes the number away.
 * @param {Api} api @param {string} [method]
 */
const stamp = (api, method) => {
  const value = api.stored();
  const decision = parse(value);
  if (!decision || decision.delivered || receiptOf(value)) return;
  api.store(`${value}*${newReceipt(method)}`, rest(api, decision.time));
};

/**
 * Days for which an answer that the server has not got is sent again. A refusal must not leave a
 * number with anybody (R37), and there is nothing to prove by it: it gets a day, then it is counted
 * nowhere.
 * @param {string[]} grants
 */
const patience = (grants) => (grants.length ? 30 : 1);

/** What `decide` says to what it will never take. Whatever else fails may be in front of it. */
const NEVER = [400, 413, 415];

/**
 * Give the server the stored answer. Until it confirms, each page view tries again, once, as long
 * as there is patience. Not `keepalive`: what is sent must end with the page, or a slow confirmation could put
 * an answer back over the one that was given on the page after.
 * @param {Api} api @param {boolean} [here] whether it was given to this page's words
 */
const deliver = async (api, here) => {
  const decision = parse(api.stored());
  if (!decision || decision.delivered) return;
  const done = format({ ...decision, delivered: true });
  if (decision.time + patience(decision.grants) * 86400 < Date.now() / 1000)
    return api.store(done, rest(api, decision.time));
  stamp(api);
  const value = api.stored();
  if (!value) return;
  const method = methodOf(value);
  const decide = /** @type {string} */ (api.page().dataset.decide);
  sending?.abort();
  sending = new AbortController();
  // In which language somebody read elsewhere what they answered, this page does not know.
  const response = await fetch(here ? decide : decide.replace(/\?.*/, ''), {
    method: 'POST',
    body: new URLSearchParams({ decision: value, ...(method && { method }) }),
    signal: sending.signal,
  });
  // To its end, or the connection would stay taken.
  await response.text();
  const { status } = response;
  // When it took it, it has set the cookie. What it will never take is not sent again.
  if (api.stored() != value) return;
  if (NEVER.includes(status)) api.store(done, rest(api, decision.time));
  // The number is another answer's: this one gets a new one, for the next time.
  if (status == 409) {
    api.store(format({ ...decision, delivered: false }), rest(api, decision.time));
    stamp(api, method);
  }
};

/**
 * Undo what is not allowed, and tell the server. What fails, because it is away or we are
 * offline, is tried again with the next page view; the answer holds all the same.
 * @param {Api} api @param {boolean} [erase] @param {boolean} [here]
 */
const settle = async (api, erase, here) => {
  // Nor may another tab's earlier answer, which the server still holds.
  tabs?.postMessage(erase);
  if (erase) forget();
  const value = api.stored();
  const undo = () => load(api).then((second) => second.erase(true));
  const failed = erase && (await undo().catch(() => true));
  // What stops in other windows may have a last word there, after this.
  if (erase) setTimeout(() => undo().catch(() => {}), 2000);
  await deliver(api, here).catch(() => {});
  if (loading) load(api).then((second) => second.record(), () => {});
  // Unless somebody answered anew meanwhile, here or in another tab.
  const decision = parse(value);
  const late = parse(api.stored());
  if (failed && decision && late && format({ ...late, delivered: false }) == format({ ...decision, delivered: false }))
    api.store(value, rest(api, decision.time));
};

/** @param {Api} api */
const resume = (api) => {
  const decision = parse(api.stored());
  if (!decision) return heed(api);
  const [entry] = performance.getEntriesByType('navigation');
  // After the reload that a withdrawal takes, it is still the page that asked.
  const here = /** @type {PerformanceNavigationTiming} */ (entry)?.type == 'reload';
  if (!decision.delivered) {
    settle(api, true, here);
    if (here) announce(api);
  }
  // What was refused elsewhere may show itself only here; what does not come, the next page tries.
  else if (leftovers(api)) load(api).then((second) => second.erase(false)).catch(() => {});
};

/**
 * Where the browser refuses all that needs consent, it has answered: nobody is asked, and the
 * server counts one answer. What is exempt stays as it was. @param {Api} api
 */
const heed = (api) => {
  const { consent, optOut, gpc } = api.page().dataset;
  const asked = keys(consent);
  if (!signal() || !asked.length || !asked.every((key) => keys(gpc).includes(key))) return;
  api.answer(keys(optOut).filter(api.may), 'signal');
};
