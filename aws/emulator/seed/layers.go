package seed

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// layer is a layer with all its versions.
type layer struct {
	name          string
	about         string
	vendor        bool // published by another account, for everybody
	runtimes      []types.Runtime
	architectures []types.Architecture
	age           time.Duration
	versions      []func() files
}

const year = 365 * 24 * time.Hour

var both = []types.Architecture{types.ArchitectureX8664, types.ArchitectureArm64}

// license is the same in several layers: a shadowed copy that makes no difference.
const license = "Permission is granted to use these files within the company.\n"

// layers lists what functions of the seed use. Where layers overlap, some of the
// files differ and some are the same.
func layers() []layer {
	node := []types.Runtime{types.RuntimeNodejs20x, types.RuntimeNodejs22x, "nodejs24.x"}
	python := []types.Runtime{types.RuntimePython312, types.RuntimePython313}
	return []layer{
		{name: "node-commons", about: "Logging and money for every Node.js service", runtimes: node, architectures: both, age: year,
			versions: []func() files{func() files { return nodeCommons("1.0.0") }, func() files { return nodeCommons("1.4.2") }, func() files { return nodeCommons("2.0.0") }}},
		{name: "python-commons", about: "Logging and retries for every Python service", runtimes: python, architectures: both, age: year,
			versions: []func() files{func() files { return pythonCommons("3.1") }, func() files { return pythonCommons("3.2") }}},
		{name: "observability", about: "Traces and metrics: agent, wrapper and Node.js hook", runtimes: append(node[:len(node):len(node)], python...), architectures: both, age: year / 2,
			versions: []func() files{func() files { return observability("0.9.1") }, func() files { return observability("1.0.3") }}},
		{name: "metrics-forwarder", about: "The metrics extension that came before observability", age: 2 * year,
			versions: []func() files{func() files {
				// Packed on a machine that lost the executable bit: functions with it do not start.
				return files{{path: "extensions/metrics-forwarder", body: "#!/bin/sh\nexec /opt/metrics/run\n"}, {path: "metrics/run", mode: 0o755, body: "#!/bin/sh\nsleep infinity\n"}}
			}}},
		{name: "image-tools", about: "Command line tools for pictures", architectures: []types.Architecture{types.ArchitectureArm64}, age: year,
			versions: []func() files{func() files {
				return files{
					{path: "bin/picture", mode: 0o755, body: noise("picture", 90_000)}, {path: "lib/libpicture.so.3", mode: 0o755, body: noise("libpicture", 1024), repeat: 61_865_984},
					{path: "lib/libpicture.so", link: "libpicture.so.3"}, {path: "share/LICENSE", body: license},
				}
			}}},
		{name: "report-fonts", about: "Fonts for reports and invoices", age: 2 * year,
			versions: []func() files{func() files {
				return files{
					{path: "fonts/Sans-Regular.ttf", body: noise("sans", 1024), repeat: 11 << 20}, {path: "fonts/Serif-Regular.ttf", body: noise("serif", 1024), repeat: 9 << 20},
					{path: "fonts/fonts.conf", body: "<fontconfig><dir>/opt/fonts</dir></fontconfig>\n"}, {path: "share/LICENSE", body: license},
				}
			}}},
		{name: "tax-tables", about: "Tax rates by country and year", age: year,
			versions: []func() files{func() files { return taxTables("2025") }, func() files { return taxTables("2026") }}},
		{name: "embedding-models", about: "Weights of the text embedding models", runtimes: python, architectures: both[:1], age: year / 3,
			versions: []func() files{func() files {
				return files{
					{path: "models/base/weights-00001.bin", body: noise("w1", 1024), repeat: 96 << 20}, {path: "models/base/weights-00002.bin", body: noise("w2", 1024), repeat: 64 << 20},
					{path: "models/base/config.json", body: `{"dimensions": 768, "layers": 12}` + "\n"}, {path: "models/small/weights.bin", body: noise("w3", 1024), repeat: 31 << 20},
				}
			}}},
		{name: "java-commons", about: "Shared jars", runtimes: []types.Runtime{types.RuntimeJava21}, architectures: both, age: year,
			versions: []func() files{func() files {
				return files{
					{path: "java/lib/acme-commons-4.2.jar", body: jar("acme-commons", "4.2")}, {path: "java/lib/acme-events-1.9.jar", body: jar("acme-events", "1.9")},
					{path: "java/lib/acme-search-7.0.jar", body: jar("acme-search", "7.0")}, {path: "share/acme-search/index.bin", body: noise("index", 1000), repeat: 44_040_192},
				}
			}}},
		{name: "ruby-gems", about: "Gems that all Ruby functions share", runtimes: []types.Runtime{types.RuntimeRuby34}, architectures: both, age: year,
			versions: []func() files{func() files {
				return files{
					{path: "ruby/gems/3.4.0/gems/acme_http-2.1.0/lib/acme_http.rb", body: "module AcmeHttp\n  VERSION = '2.1.0'\nend\n"},
					{path: "ruby/gems/3.4.0/extensions/acme_http-2.1.0/native.so", mode: 0o755, body: noise("gem", 1024), repeat: 17_825_792},
					{path: "ruby/gems/3.4.0/specifications/acme_http-2.1.0.gemspec", body: "Gem::Specification.new { |s| s.name = 'acme_http' }\n"},
				}
			}}},
		{name: "shell-tools", about: "jq, a shell runtime and friends for custom runtimes", architectures: both, age: year,
			versions: []func() files{func() files {
				return files{{path: "bin/jq", mode: 0o755, body: noise("jq", 120_000)}, {path: "bootstrap", mode: 0o755, body: "#!/bin/sh\nexec /var/task/${_HANDLER}\n"}, {path: "lib/libonig.so.5", mode: 0o755, body: noise("onig", 50_000)}}
			}}},
		{name: "apm-agent", about: "Application monitoring, as the vendor publishes it", vendor: true, architectures: both, age: year,
			versions: []func() files{
				func() files { return apmAgent("41") },
				func() files { return apmAgent("42") },
			}},
		{name: "partner-geo", about: "Country and city by address", vendor: true, age: year,
			versions: []func() files{func() files {
				return files{{path: "geo/cities.db", body: noise("cities", 30_000)}, {path: "nodejs/node_modules/partner-geo/index.js", body: "exports.country = () => 'DE';\n"}}
			}}},
	}
}

func nodeCommons(version string) files {
	return files{
		{path: "nodejs/node_modules/@acme/logger/package.json", body: `{"name": "@acme/logger", "version": "` + version + `", "main": "index.js"}` + "\n"},
		{path: "nodejs/node_modules/@acme/logger/index.js", body: strings.ReplaceAll(loggerSource, "VERSION", version)},
		{path: "nodejs/node_modules/@acme/money/package.json", body: `{"name": "@acme/money", "version": "` + version + `", "main": "lib/money.js"}` + "\n"},
		{path: "nodejs/node_modules/@acme/money/lib/money.js", body: moneySource},
		{path: "nodejs/node_modules/.bin/money", link: "../@acme/money/lib/money.js"},
		{path: "nodejs/node_modules/@acme/client/package.json", body: `{"name": "@acme/client", "version": "` + version + `", "main": "dist/client.js"}` + "\n"},
		{path: "nodejs/node_modules/@acme/client/dist/client.js", body: "exports.send = (event) => event; // one generated call\n", repeat: 21_364_736},
		{path: "nodejs/package.json", body: `{"private": true, "version": "` + version + `"}` + "\n"},
		{path: "share/LICENSE", body: license},
	}
}

const loggerSource = `'use strict';
// One line of JSON for every event.
exports.version = 'VERSION';
exports.log = (level, message, fields) => console.log(JSON.stringify({ level, message, ...fields }));
`

const moneySource = `'use strict';
// Amounts are whole cents; percentages are rounded half up.
exports.percent = (cents, rate) => Math.floor((cents * rate) / 100 + 0.5);
exports.format = (cents, currency) => (cents / 100).toFixed(2) + ' ' + currency;
exports.sum = (items) => items.reduce((total, item) => total + item.cents * (item.quantity ?? 1), 0);
`

func pythonCommons(version string) files {
	return files{
		{path: "python/acme_commons/__init__.py", body: "VERSION = \"" + version + "\"\n"},
		{path: "python/acme_commons/retry.py", body: "def retry(call, times=3):\n    for attempt in range(times):\n        try:\n            return call()\n        except IOError:\n            if attempt == times - 1:\n                raise\n"},
		{path: "python/acme_commons/log.py", body: "import json\n\n\ndef log(message, **fields):\n    print(json.dumps({\"message\": message, **fields}))\n"},
		{path: "python/acme_numeric/__init__.py", body: "from ._core import *\n"},
		{path: "python/acme_numeric/_core.so", mode: 0o755, body: noise("numeric "+version, 1024), repeat: 25_165_824},
		{path: "python/requirements.txt", body: "acme-commons==" + version + "\n"},
		{path: "share/LICENSE", body: license},
	}
}

// observability overlaps with both commons: another logger, and the same licence.
func observability(version string) files {
	return files{
		{path: "extensions/observability-agent", mode: 0o755, body: "#!/bin/sh\n# " + version + "\nexec /opt/observability/bin/agent\n"},
		{path: "observability/bin/agent", mode: 0o755, body: noise("agent "+version, 1024), repeat: 38_420_480},
		{path: "observability/config.yaml", body: "service: lambda\nversion: " + version + "\nsample: 0.1\n"},
		{path: "observability/node/hook.js", body: "'use strict';\nglobalThis.__observability = '" + version + "';\n"},
		{path: "observability-wrapper", mode: 0o755, body: "#!/bin/sh\nexport OBSERVABILITY=on\nexec \"$@\"\n"},
		{path: "nodejs/node_modules/@acme/logger/index.js", body: strings.ReplaceAll(loggerSource, "VERSION", "observability "+version)},
		{path: "python/acme_commons/log.py", body: "def log(message, **fields):\n    pass\n"},
		{path: "share/LICENSE", body: license},
	}
}

func taxTables(year string) files {
	return files{
		{path: "tax/rates.json", body: `{"year": ` + year + `, "DE": 19, "FR": 20, "SE": 25, "reduced": {"DE": 7, "FR": 5.5, "SE": 12}}` + "\n"},
		{path: "nodejs/node_modules/@acme/tax/index.js", body: "'use strict';\nconst rates = require('/opt/tax/rates.json');\nexports.rate = (country) => rates[country] ?? 0;\n"},
	}
}

func apmAgent(version string) files {
	return files{
		{path: "extensions/apm-agent", mode: 0o755, body: "#!/bin/sh\n# " + version + "\nexec /opt/apm/agent\n"},
		{path: "apm/agent", mode: 0o755, body: noise("apm "+version, 1024), repeat: 52_711_424},
		{path: "apm/wrapper", mode: 0o755, body: "#!/bin/sh\nexec \"$@\"\n"},
		{path: "nodejs/node_modules/apm-agent/index.js", body: "'use strict';\nexports.version = '" + version + "';\nexports.wrap = (handler) => handler;\n"},
		{path: "python/apm_agent/__init__.py", body: "VERSION = \"" + version + "\"\n"},
	}
}
