"""Packs an extension that stands in for "Open external links in a container", which only Mozilla's site has.

Usage: container_stand_in.py XPI
"""

import json, sys, zipfile

MANIFEST = {
    "manifest_version": 2,
    "name": "stand-in",
    "version": "1",
    "browser_specific_settings": {"gecko": {"id": "stand-in@hatbox.example"}},
    "permissions": ["contextualIdentities", "cookies", "tabs"],
    "protocol_handlers": [{"protocol": "ext+container", "name": "stand-in", "uriTemplate": "/open.html#%s"}],
}
PAGE = "<!doctype html><meta charset=utf-8><script src=open.js></script>"
SCRIPT = """
(async () => {
  const address = decodeURIComponent(location.hash.slice(1)).replace(/^ext\\+container:/, "");
  const { name, color, icon, url } = Object.fromEntries(new URLSearchParams(address));
  const { cookieStoreId } = await browser.contextualIdentities.create({ name, color, icon });
  const self = await browser.tabs.getCurrent();
  await browser.tabs.create({ url, cookieStoreId });
  await browser.tabs.remove(self.id);
})();
"""

with zipfile.ZipFile(sys.argv[1], "w") as extension:
    for name, text in [("manifest.json", json.dumps(MANIFEST)), ("open.html", PAGE), ("open.js", SCRIPT)]:
        extension.writestr(name, text)
