from tests.browser.test_paint import *
from statistics import median
import urllib.request, re, random
pytestmark = []
def test_variants(new_context, paths, write, site):
    get = lambda p: urllib.request.urlopen(site + p).read().decode()
    html = get(paths[0])
    css = get("/static/wagtail_cookie_charter/cookie-charter.css")
    nohas = re.sub(r":root:has\(\.wcc:not\(\[hidden\]\)\)[^{]*\{[^}]*\}", "", css)
    print(len(css), len(nohas))
    raw = lambda b: "{% verbatim %}" + b + "{% endverbatim %}"
    write(raw(nohas), name="nohascss", layout="", headers={"Content-Type": "text/css"})
    fp = lambda h: h.replace("cookie-charter.js\" async", "cookie-charter.js\" async fetchpriority=\"high\"")
    nh = lambda h: h.replace("/static/wagtail_cookie_charter/cookie-charter.css", "/written/nohascss/")
    assert fp(html) != html and nh(html) != html
    variants = {"base": html, "fp": fp(html), "nohas": nh(html), "both": nh(fp(html)), "sync": html.replace('js" async', 'js"')}
    vp = {k: write(raw(v), name=k, layout="") for k, v in variants.items()}
    vp["bare"] = paths[1]
    out = {}
    for n in range(11):
        names = list(vp); random.shuffle(names)
        for k in names:
            context = new_context(viewport={"width": 1280, "height": 720})
            page = context.new_page()
            session = context.new_cdp_session(page)
            session.send("Network.enable")
            session.send("Network.emulateNetworkConditions", FAST_4G)
            session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
            page.add_init_script(PROBE)
            page.goto(vp[k], wait_until="load")
            if k != "bare": page.wait_for_function("probe.banner !== null")
            page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
            r = page.evaluate(RESULT)
            if n: out.setdefault(k, []).append(r)
            context.close()
    for k, rows in out.items():
        print(k, "fcp", round(median(r["fcp"] for r in rows)), "after", sorted(round(r["banner"] - r["fcp"]) for r in rows if r["banner"]), "banner", round(median(r["banner"] or 0 for r in rows)))
