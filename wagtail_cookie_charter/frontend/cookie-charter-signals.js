/**
 * Tells vendors what the visitor decided (R54, R59): loaded only where the setting `SIGNALS` names
 * some. It fetches nothing and loads no vendor's code; it fills the queues that vendors' own
 * scripts read. Called at the start of each page, before anything is run; after each answer; and
 * before the reload that a withdrawal takes. What was told already is not told again.
 */

/**
 * @typedef {(pair: string) => boolean} May whether a category, or a provider in it, may run now
 * @typedef {Record<string, boolean>} Granted for each signal of a vendor
 *
 * @typedef {object} Vendor
 * @property {(nothing: Granted, mode: string) => void} [start] says once that nothing is granted
 * @property {(granted: Granted, mode: string, first: boolean) => boolean | void} update
 *   says what is granted; returns false where nobody is there to hear it
 */

const page = /** @type {any} */ (window);

/** The vendor's queue. @param {string} name @returns {{push: (...items: any) => void}} */
const queue = (name) => (page[name] ||= []);

/** @param {boolean} granted */
const word = (granted) => (granted ? 'granted' : 'denied');

/** @param {Granted} granted */
const words = (granted) =>
  Object.fromEntries(Object.entries(granted).map(([signal, yes]) => [signal, word(yes)]));

/** Google reads the `arguments` object itself: an array is something else to it. */
function gtag() {
  queue('dataLayer').push(arguments);
}
const google = /** @type {(...parts: any) => void} */ (gtag);

/** @param {string} method */
const matomo = (method) => queue('_paq').push([method]);

/** To be measured at all, or by cookies. @param {string} mode */
const matomoConsent = (mode) => (mode == 'cookies' ? 'CookieConsent' : 'Consent');

/** @type {Record<string, Vendor>} */
const vendors = {
  // Consent Mode v2: one default before any tag, then updates.
  // https://developers.google.com/tag-platform/security/guides/consent
  google: {
    start(nothing) {
      // In the advanced mode, `{% cookie_signals %}` has said it already, before the tags.
      if ([...page.dataLayer ?? []].some((said) => said?.[0] == 'consent' && said[1] == 'default')) return;
      google('consent', 'default', { ...words(nothing), security_storage: 'denied' });
    },
    update: (granted) => google('consent', 'update', { ...words(granted), security_storage: 'granted' }),
  },

  // Universal Event Tracking: the queue takes command, kind and value one after the other.
  // https://help.ads.microsoft.com/#apex/ads/en/60119/1
  microsoft: {
    start: () => queue('uetq').push('consent', 'default', { ad_storage: 'denied' }),
    update: ({ consent }) => queue('uetq').push('consent', 'update', { ad_storage: word(consent) }),
  },

  // No default: Clarity sets nothing until it is told, and "denied" would cost those who agreed
  // their session on each page. The capital S is Microsoft's.
  // https://learn.microsoft.com/clarity/setup-and-installation/clarity-consent-api-v2
  clarity: {
    update(granted) {
      page.clarity ||= function () {
        (page.clarity.q ||= []).push(arguments);
      };
      page.clarity('consentv2', words(granted));
    },
  },

  // https://developer.matomo.org/guides/tracking-consent
  // https://developer.matomo.org/guides/in-depth-opt-out
  matomo: {
    start(_nothing, mode) {
      if (mode != 'opt_out') matomo('require' + matomoConsent(mode));
    },
    update({ consent }, mode, first) {
      // To forget is to write a cookie that says so (`mtm_consent_removed`): not for those who
      // never agreed. But what Matomo remembers from elsewhere is not what was decided here.
      const remembered = /(^| )mtm_(cookie_)?consent=/.test(document.cookie);
      if (mode == 'opt_out') matomo(consent ? 'forgetUserOptOut' : 'optUserOut');
      else if (consent) matomo(`set${matomoConsent(mode)}Given`);
      else if (!first || remembered) matomo(`forget${matomoConsent(mode)}Given`);
    },
  },

  // No stub: Meta's own snippet loads nothing where there is an `fbq` already. A gated pixel
  // comes after consent, so what it must hear is the withdrawal.
  // https://developers.facebook.com/docs/meta-pixel/implementation/gdpr
  meta: {
    update: ({ consent }) => (page.fbq ? page.fbq('consent', consent ? 'grant' : 'revoke') : false),
  },

  // The preset counts where Piano remembers nothing (without one, it is "opt-in"); the call
  // counts always. The queue has the name of Matomo's, unless the site names another.
  // https://developers.atinternet-solutions.com/piano-analytics/data-collection/how-to-send-events/consent
  piano: {
    start() {
      const consent = (page.pdl ||= {}).consent;
      page.pdl.requireConsent ||= 'v2';
      page.pdl.consent = { products: ['PA'], ...consent, defaultPreset: { ...consent?.defaultPreset, PA: 'opt-out' } };
    },
    update: (granted) =>
      queue(page._pac?.queueVarName || '_paq').push([
        'consent.setMode',
        ['opt-in', 'essential'].find((mode) => granted[mode]) ?? 'opt-out',
      ]),
  },
};

/** @type {Set<string>} vendors that know that nothing is granted by default */
const started = new Set();
/** @type {Map<string, string>} what each vendor was told last */
const told = new Map();

/**
 * For each signal, whether the gate that it waits for is open; "" never opens.
 * @param {Record<string, string>} map @param {May} may @returns {Granted}
 */
const signals = (map, may) =>
  Object.fromEntries(Object.entries(map).map(([signal, gate]) => [signal, !!gate && may(gate)]));

/**
 * @param {string} name @param {{mode: string, map: Record<string, string>}} config
 * @param {May} may
 */
const tell = (name, { mode, map }, may) => {
  const vendor = vendors[name];
  if (!started.has(name)) vendor.start?.(signals(map, () => false), mode);
  started.add(name);
  const granted = signals(map, may);
  const state = JSON.stringify(granted);
  if (told.get(name) == state) return;
  if (vendor.update(granted, mode, !told.has(name)) !== false) told.set(name, state);
};

// Another window may have answered: what was withdrawn there, vendors hear of here as well.
const windows = window.BroadcastChannel && new BroadcastChannel('cookie-charter');

/** @param {May} may */
export default function tellVendors(may) {
  if (windows) windows.onmessage = () => tellVendors(may);
  const config = JSON.parse(document.getElementById('wcc')?.dataset.signalsConfig ?? '{}');
  for (const name in config)
    try {
      tell(name, config[name], may);
    } catch (error) {
      // A vendor that fails keeps no other from hearing of a refusal.
      console.error(error);
    }
}
