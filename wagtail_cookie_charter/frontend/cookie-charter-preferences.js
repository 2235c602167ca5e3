/**
 * The second layer: a dialog, fetched once, and the forms that choose by category and by
 * provider; and the undoing of what was withdrawn, since the rows name what there is to delete.
 */
/** @typedef {import('./cookie-charter.js').Api} Api */

/** Longest value that the consent cookie may have; see `decision.py`. */
const MAX_LENGTH = 92;

/**
 * @param {Api['allowed']} allowed
 * @param {Api['decided']} decided
 * @param {Api['answer']} answer
 * @param {Api['everything']} everything
 * @returns {Promise<import('./cookie-charter.js').Preferences>}
 */
export default async function preferences(allowed, decided, answer, everything) {
  const api = { allowed, decided, answer, everything };
  const attachAll = () => forms(document).forEach((form) => attach(form, api));
  attachAll();
  document.addEventListener('DOMContentLoaded', attachAll);
  const dialog = await fetchDialog(/** @type {string} */ (document.getElementById('wcc')?.dataset.preferences));
  const [form] = forms(dialog);
  attach(form, api, dialog);
  return {
    open() {
      restore(form, api);
      if (!dialog.open) dialog.showModal();
    },
    close: () => dialog.close(),
    erase: () => erase(dialog, api),
  };
}

/** @param {ParentNode} where */
const forms = (where) => [.../** @type {NodeListOf<HTMLFormElement>} */ (where.querySelectorAll('.wcc-form'))];

/**
 * By XMLHttpRequest, since it parses HTML without a Trusted Types sink, and runs nothing in it.
 * @param {string} url
 * @returns {Promise<HTMLDialogElement>}
 */
const fetchDialog = (url) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('GET', url);
    request.responseType = 'document';
    request.onerror = reject;
    request.onload = () => {
      const found = request.status == 200 && request.response?.querySelector('dialog');
      if (!found) return reject(new Error(url));
      const dialog = /** @type {HTMLDialogElement} */ (document.adoptNode(found));
      const sheet = /** @type {HTMLLinkElement} */ (dialog.querySelector('link'));
      sheet.onload = sheet.onerror = () => resolve(dialog);
      document.body.append(dialog);
    };
    request.send();
  });

// --- Forms -------------------------------------------------------------------------------

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
  const decided = api.decided();
  for (const { key, whole, each } of groups(form)) {
    for (const box of each) box.checked = decided && api.allowed(key, codeOf(box));
    whole.checked = decided && api.allowed(key);
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
    const codes = boxes.map(codeOf).sort((a, b) => parseInt(a, 36) - parseInt(b, 36));
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
    const grants = pressed == 'accept' ? api.everything : pressed == 'refuse' ? [] : grantsOf(form);
    const error = /** @type {HTMLElement} */ (form.querySelector('.wcc-error'));
    // Number and time take up to 17 characters before the grants.
    const tooMany = grants.join('.').length + 18 > MAX_LENGTH;
    error.textContent = tooMany ? (form.dataset.tooMany ?? '') : '';
    if (tooMany) return;
    dialog?.close();
    await api.answer(grants);
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
 * @param {HTMLDialogElement} dialog @param {Api} api
 */
const erase = async (dialog, api) => {
  /** @type {Record<string, {kept: string[], dropped: string[]}>} */
  const rows = {};
  for (const row of /** @type {NodeListOf<HTMLElement>} */ (dialog.querySelectorAll('[data-name]'))) {
    const group = /** @type {HTMLElement} */ (row.closest('[data-category]'));
    const provider = /** @type {HTMLElement} */ (row.closest('[data-provider]')).dataset.provider;
    const { name = '', storage = '' } = row.dataset;
    const keep = group.dataset.optional == null || api.allowed(group.dataset.category ?? '', provider);
    (rows[storage] ??= { kept: [], dropped: [] })[keep ? 'kept' : 'dropped'].push(name);
  }
  /** @param {string} storage @param {string[]} names */
  const refused = (storage, names) => {
    const { kept = [], dropped = [] } = rows[storage] ?? {};
    return names.filter(
      (name) => dropped.some((pattern) => matches(pattern, name)) && !kept.some((pattern) => matches(pattern, name)),
    );
  };
  for (const name of refused('cookie', document.cookie.split('; ').map((pair) => pair.split('=')[0]))) expire(name);
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

/** A cookie does not tell where it was set: try each path and each domain. @param {string} name */
const expire = (name) => {
  const labels = location.hostname.split('.');
  const domains = ['', ...labels.map((_label, index) => `; Domain=${labels.slice(index).join('.')}`)];
  const steps = location.pathname.split('/');
  const paths = steps.flatMap((_step, index) => {
    const path = steps.slice(0, index + 1).join('/');
    return [path || '/', `${path}/`];
  });
  for (const path of new Set(paths))
    for (const domain of domains)
      for (const rest of ['', '; Secure; SameSite=None; Partitioned'])
        document.cookie = `${name}=; Path=${path}${domain}; Max-Age=0${rest}`;
};
