// What such a script does: give the browser a number, keep it, report the page. Like Google's,
// it listens to Consent Mode, which is told before it runs.
(() => {
  const said = (window.dataLayer || []).filter((entry) => entry[0] === "consent").pop();
  if (said && said[2].analytics_storage !== "granted") return;
  const known = document.cookie.match(/(?:^|; )_mesure_id=([^;]+)/);
  const id = known ? known[1] : crypto.randomUUID();
  const months13 = 13 * 30.4375 * 86400;
  document.cookie = `_mesure_id=${id}; path=/; max-age=${Math.round(months13)}; samesite=lax`;
  const page = encodeURIComponent(location.pathname);
  fetch(`{{ elsewhere|escapejs }}/sandbox/ping/?id=${id}&page=${page}`, { mode: "no-cors" });
})();
