/**
 * The second layer: a dialog, fetched once, and the forms that choose by category and by
 * provider; and the undoing of what was withdrawn, since the rows name what there is to delete.
 */
import { parse } from './decision.js';
import { fits, inOrder, keys, less } from './grants.js';
import { check, latest, outdated, renew, stands } from './in-force.js';

/** @typedef {import('./cookie-charter.js').Api} Api */

/**
 * @param {Api} api
 * @returns {Promise<{open: () => void, attach: () => void, erase: (unseen: boolean) => Promise<void>, news: (number: number) => HTMLElement | null, record: () => Promise<void>}>}
 *     `erase` deletes what is stored and no longer allowed, and perhaps by their names cookies
 *     that this page cannot see; `news` is what is asked since a declaration's number; `record`
 *     shows the charter's readers what they chose
 */
export async function preferences(api) {
  const attachAll = () => {
    forms(document).forEach((form) => attach(form, api));
    record(api);
  };
  attachAll();
  document.addEventListener('DOMContentLoaded', attachAll);
  const dialog = await fetchDialog(/** @type {string} */ (api.page().dataset.preferences));
  const [form] = forms(dialog);
  attach(form, api, dialog);
  return {
    attach: attachAll,
    open() {
      // A body that was replaced took it along, perhaps while it was open.
      if (!dialog.isConnected) {
        dialog.open = false;
        document.body.append(dialog);
      }
      restore(form, api);
      if (!dialog.open) dialog.showModal();
    },
    erase: (unseen) => erase(dialog, api, unseen),
    news: (number) => newer(dialog, number),
    record: () => record(api),
  };
}

/** @param {HTMLElement} dialog @param {number} number */
const newer = (dialog, number) => {
  const found = /** @type {HTMLElement | null} */ (dialog.querySelector('.wcc-news'));
  for (const item of found?.querySelectorAll('li') ?? []) if (Number(item.dataset.number) <= number) item.remove();
  return found && found.querySelector('li') && found;
};

/** @param {ParentNode} where */
const forms = (where) => [.../** @type {NodeListOf<HTMLFormElement>} */ (where.querySelectorAll('.wcc-form'))];

/** Milliseconds after which the charter does what the dialog would: a server may hang. */
const HANGS = 10000;

/**
 * A document of ours. By XMLHttpRequest, since it parses HTML without a Trusted Types sink, and
 * runs nothing in it.
 * @param {string} url @returns {Promise<Document>}
 */
const fetchDocument = (url) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('GET', url);
    request.responseType = 'document';
    request.timeout = HANGS;
    request.onerror = request.ontimeout = reject;
    request.onload = () =>
      request.status == 200 && request.response ? resolve(request.response) : reject(new Error(url));
    request.send();
  });

/** @param {string} url @returns {Promise<HTMLDialogElement>} */
const fetchDialog = async (url) => {
  const found = (await fetchDocument(url)).querySelector('dialog');
  if (!found) throw new Error(url);
  const dialog = document.adoptNode(found);
  const sheet = /** @type {HTMLLinkElement} */ (dialog.querySelector('link'));
  return new Promise((resolve) => {
    sheet.onload = sheet.onerror = () => resolve(dialog);
    setTimeout(sheet.onload, HANGS);
    document.body.append(dialog);
  });
};

/**
 * On the charter: what the visitor chose, when, and the receipt, in place of the link to it.
 * Where it does not come, the link stays. @param {Api} api
 */
const record = async (api) => {
  const place = document.querySelector('.wcc-record');
  const url = place?.querySelector('a')?.href.replace(/&format=.*/, '');
  if (!place || !url || !api.stored()) return;
  const found = await fetchDocument(url).catch(() => null);
  const words = found?.querySelector('.wcc-record');
  if (words?.querySelector('dl')) place.replaceChildren(...words.childNodes);
};

// --- Forms -------------------------------------------------------------------------------

/**
 * A refusal holds for whatever was asked since, too: who refused is not asked again (R66).
 * @param {Api} api
 */
const refuse = async (api) => {
  const { dataset } = api.page();
  const { number } = dataset;
  dataset.number = String(Math.max(Number(number), latest(api)));
  await api.answer([], 'refuse');
  dataset.number = number;
};

/** @param {HTMLFormElement} form */
const groups = (form) =>
  [.../** @type {NodeListOf<HTMLFieldSetElement>} */ (form.querySelectorAll('[data-optional]'))].map((group) => ({
    key: /** @type {string} */ (group.dataset.category),
    whole: /** @type {HTMLInputElement} */ (group.querySelector('[name=category]')),
    each: [.../** @type {NodeListOf<HTMLInputElement>} */ (group.querySelectorAll('[name=provider]'))],
  }));

/** @param {HTMLInputElement} box */
const codeOf = (box) => box.value.split(':')[1];

/** Ticked where it is allowed, once there is an answer; nothing is ticked before (R28).
 * @param {HTMLFormElement} form @param {Api} api */
const restore = (form, api) => {
  const decided = stands(api);
  for (const { key, whole, each } of groups(form)) {
    for (const box of each) box.checked = decided && api.may(`${key} ${codeOf(box)}`);
    whole.checked = decided && api.may(key);
    summarise(whole, each);
  }
};

/** On, off or mixed. @param {HTMLInputElement} whole @param {HTMLInputElement[]} each */
const summarise = (whole, each) => {
  const ticked = each.filter((box) => box.checked).length;
  if (each.length) whole.checked = ticked == each.length;
  whole.indeterminate = !!ticked && !whole.checked;
};

/** The shortest grants that say what is ticked. @param {HTMLFormElement} form */
const grantsOf = (form) =>
  groups(form).flatMap(({ key, whole, each }) => {
    if (whole.checked) return [key];
    const only = each.filter((box) => box.checked);
    const but = each.filter((box) => !box.checked);
    if (!only.length) return [];
    const [sign, boxes] = only.length <= but.length ? ['+', only] : ['-', but];
    const codes = inOrder(boxes.map(codeOf));
    return [key + codes.map((code) => sign + code).join('')];
  });

/** The forms that answer already: the dialog may be asked for again after it did not come. */
const attached = new WeakSet();

/**
 * @param {HTMLFormElement} form @param {Api} api @param {HTMLDialogElement} [dialog]
 */
const attach = (form, api, dialog) => {
  if (attached.has(form)) return;
  attached.add(form);
  // Nothing is ticked in the page as it comes: what is ticked now, the visitor has ticked.
  if (!form.querySelector(':checked')) restore(form, api);
  form.addEventListener('change', (event) => {
    for (const { whole, each } of groups(form)) {
      if (event.target == whole) for (const box of each) box.checked = whole.checked;
      summarise(whole, each);
    }
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const pressed = /** @type {HTMLButtonElement | null} */ (event.submitter)?.value;
    const { consent, optOut } = api.page().dataset;
    await check(api);
    if (outdated(api)) return pressed == 'refuse' ? refuse(api) : renew(location.href);
    const grants = pressed == 'accept' ? [...keys(consent), ...keys(optOut)] : pressed == 'refuse' ? [] : grantsOf(form);
    const error = /** @type {HTMLElement} */ (form.querySelector('.wcc-error'));
    const tooMany = !fits(grants);
    error.textContent = tooMany ? (form.dataset.tooMany ?? '') : '';
    if (tooMany) return;
    dialog?.close();
    const before = parse(api.stored())?.grants;
    const method = pressed == 'accept' || pressed == 'refuse' ? pressed : 'choice';
    await api.answer(grants, before && less(grants, before) ? 'withdrawal' : method);
    for (const other of forms(document)) restore(other, api);
  });
};

// --- Undoing -----------------------------------------------------------------------------

/** @param {string} pattern @param {string} name */
const matches = (pattern, name) =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name == pattern;

/**
 * Delete what the rows declare and the visitor does not allow (R50). A name that an allowed or
 * exempt row declares as well is kept. What third parties keep on their hosts, only the
 * browser can remove; the dialog says so (R51).
 * @param {HTMLDialogElement} dialog @param {Api} api @param {boolean} unseen
 */
const erase = async (dialog, api, unseen) => {
  /** @type {Record<string, {kept: string[], dropped: string[]}>} */
  const rows = {};
  for (const row of /** @type {NodeListOf<HTMLElement>} */ (dialog.querySelectorAll('[data-name]'))) {
    const group = /** @type {HTMLElement} */ (row.closest('[data-category]'));
    const provider = /** @type {HTMLElement} */ (row.closest('[data-provider]')).dataset.provider;
    const { name = '', storage = '' } = row.dataset;
    const keep = group.dataset.optional == null || api.may(`${group.dataset.category} ${provider}`);
    (rows[storage] ??= { kept: [], dropped: [] })[keep ? 'kept' : 'dropped'].push(name);
  }
  /** @param {string} storage @param {string[]} names */
  const refused = (storage, names) => {
    const { kept = [], dropped = [] } = rows[storage] ?? {};
    return names.filter(
      (name) => dropped.some((pattern) => matches(pattern, name)) && !kept.some((pattern) => matches(pattern, name)),
    );
  };
  // Those that can be seen from here, and by their names those that cannot: a cookie shows
  // itself only to pages below its path. Each name takes many writes: not on every page view.
  const seen = document.cookie.split('; ').map((pair) => pair.split('=')[0]);
  const named = unseen ? (rows.cookie?.dropped ?? []).filter((pattern) => !pattern.endsWith('*')) : [];
  const places = paths();
  for (const name of new Set(refused('cookie', [...seen, ...named]))) expire(name, places);
  for (const [kind, storage] of /** @type {const} */ ([['local', 'localStorage'], ['session', 'sessionStorage']])) {
    try {
      for (const key of refused(kind, Object.keys(window[storage]))) window[storage].removeItem(key);
    } catch {
      // Storage is switched off, so nothing is in it.
    }
  }
  if (rows.indexeddb?.dropped.length) {
    const databases = (await indexedDB.databases?.()) ?? [];
    for (const name of refused('indexeddb', databases.map(({ name }) => name ?? ''))) indexedDB.deleteDatabase(name);
  }
};

/** How many paths are tried: each costs a write for each name and domain. */
const MOST_PATHS = 24;

/** Where cookies of this host may have been set: above this page, and where it links to. */
const paths = () => {
  const found = new Set();
  for (const { origin, pathname } of [location, ...document.links]) {
    if (origin != location.origin) continue;
    const steps = pathname.split('/');
    steps.forEach((_step, index) => {
      const path = steps.slice(0, index + 1).join('/');
      found.add(path || '/').add(`${path}/`);
    });
  }
  return [...found].sort((one, other) => one.length - other.length).slice(0, MOST_PATHS);
};

/**
 * A cookie does not tell where it was set: try each path and each domain.
 * @param {string} name @param {string[]} places
 */
const expire = (name, places) => {
  const labels = location.hostname.split('.');
  const domains = ['', ...labels.map((_label, index) => `; Domain=${labels.slice(index).join('.')}`)];
  for (const path of places)
    for (const domain of domains)
      for (const rest of ['', '; Secure', '; Secure; SameSite=None; Partitioned'])
        document.cookie = `${name}=; Path=${path}${domain}; Max-Age=0${rest}`;
};
