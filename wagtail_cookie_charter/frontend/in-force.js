/**
 * Whether a page says what is in force. Caches keep pages: an old one may offer what is gone, and
 * hold what was taken out since. Nothing of it runs, and nothing is granted on it.
 */
import { parse } from './decision.js';

/** @typedef {import('./cookie-charter.js').Api} Api */

/** The highest number that the server has named: where bodies are replaced, pages come and go. */
let named = 0;

/** Numbers that were answered and that the server, asked anew, did not have. @type {Set<number>} */
const unknown = new Set();

/** Milliseconds that the server has to name it. */
const PATIENCE = 5000;

/** @type {Promise<unknown> | undefined} */
let asking;

/**
 * Whether the page is that of the declaration in force, as the server says it now, or said it
 * within the minute for which the browser keeps that. Late or unreachable means no.
 * @param {Api} api
 */
export const inForce = async (api) => {
  const late = new Promise((end) => setTimeout(end, PATIENCE));
  asking ??= Promise.race([ask(api, ahead(api)).catch(() => false), late]);
  const said = await asking;
  asking = undefined;
  return !!said && !outdated(api);
};

/** @param {Api} api @param {number} later a number to know of, later than the page's; 0 for none */
const ask = async (api, later) => {
  const decide = /** @type {string} */ (api.page().dataset.decide);
  const address = new URL('../in-force/', new URL(decide, location.href));
  // What is kept may be older than the answer.
  if (later) address.searchParams.set('wcc', String(later));
  const response = await fetch(address);
  const { number } = await response.json();
  // None is in force, or something else answers at this address.
  if (!response.ok || !Number.isInteger(number)) return false;
  named = Math.max(named, number);
  if (later > named) unknown.add(later);
  return true;
};

/**
 * Whether something later is known than this page asks: the server has named it, or the visitor
 * has answered it.
 * @param {Api} api
 */
export const outdated = (api) => latest(api) > Number(api.page().dataset.number);

/**
 * The highest number that is known, of what the server named and the visitor answered. Who
 * answered what the server knows nothing of, as it came back from a backup, answered nothing.
 * @param {Api} api
 */
export const latest = (api) => {
  const number = answered(api);
  return unknown.has(number) ? named : Math.max(named, number);
};

/** Whether an answer stands that this site knows, and that this page can show. @param {Api} api */
export const stands = (api) => api.decided() && !outdated(api) && answered(api) <= latest(api);

/** @param {Api} api */
const answered = (api) => parse(api.stored())?.number ?? 0;

/** The number that was answered, if it is later than all that is known here; else 0. @param {Api} api */
const ahead = (api) => {
  const number = answered(api);
  return number > Math.max(named, Number(api.page().dataset.number)) ? number : 0;
};

/** Have the server say whether it knows what was answered. @param {Api} api */
export const check = async (api) => {
  if (ahead(api)) await inForce(api);
};

/** Have a page as it is today: caches keep pages by their address. @param {string} address */
export const renew = (address) => {
  const url = new URL(address);
  url.searchParams.set('wcc', String(Date.now()));
  location.assign(url);
};
