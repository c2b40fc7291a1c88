package seed

import (
	"fmt"
	"slices"
	"strings"
)

// light is the variant of code that brings next to nothing along.
const light = 4

// weigh is the size in bytes of what a function brings along beside its own
// code: most bring little, some bring a lot.
func weigh(variant int) int64 {
	return []int64{2_097_152, 9_437_184, 58_720_256, 24_117_248, light: 65_536}[variant]
}

// common is the code that functions of one runtime share when nothing is special
// about them.
func common(runtime string, variant int, layers []string) files {
	data := file{path: "data/defaults.json", body: fmt.Sprintf(`{"batch": %d, "region": "eu"}`+"\n", 10*(variant+1))}
	switch {
	case strings.HasPrefix(runtime, "nodejs"):
		return append(nodeCode(variant, usesCommons(layers)), data)
	case strings.HasPrefix(runtime, "python"):
		return files{
			data, {path: "app.py", body: pythonSource}, {path: "lib/__init__.py"},
			{path: "lib/steps.py", body: fmt.Sprintf("LIMIT = %d\n\n\ndef clean(rows):\n    return [r for r in rows if r][:LIMIT]\n", 100*(variant+1))},
			{path: "vendor/acme_client/__init__.py", body: "VERSION = \"1.7\"\n"}, {path: "vendor/acme_client/_speedups.so", mode: 0o755, body: noise(fmt.Sprint("so", variant), 1024), repeat: weigh(variant)},
		}
	case strings.HasPrefix(runtime, "java"):
		return files{
			{path: "com/acme/Handler.class", body: "\xca\xfe\xba\xbe" + noise(fmt.Sprint("class", variant), 6_000)},
			{path: "META-INF/MANIFEST.MF", body: "Manifest-Version: 1.0\n"}, {path: "lib/acme-model.jar", body: jar("acme-model", fmt.Sprintf("2.%d.0", variant))},
			{path: "com/acme/model.bin", body: noise(fmt.Sprint("model", variant), 1000), repeat: weigh(variant)},
		}
	case strings.HasPrefix(runtime, "ruby"):
		return files{data, {path: "app.rb", body: "require 'json'\n\ndef handler(event:, context:)\n  { statusCode: 200, body: JSON.generate(event.keys) }\nend\n"}, {path: "Gemfile", body: "source 'https://rubygems.org'\n"}}
	case strings.HasPrefix(runtime, "dotnet"):
		return files{
			{path: "Acme.Service.dll", body: "MZ" + noise(fmt.Sprint("dll", variant), 1000), repeat: weigh(variant)}, {path: "Acme.Service.deps.json", body: `{"runtimeTarget": {"name": ".NETCoreApp"}}` + "\n"},
			{path: "Acme.Service.runtimeconfig.json", body: `{"runtimeOptions": {"tfm": "net8.0"}}` + "\n"},
		}
	}
	// A custom runtime: one program.
	return files{data, {path: "bootstrap", mode: 0o755, body: "\x7fELF" + noise(fmt.Sprint("elf", variant), 1000), repeat: weigh(variant) / 2}}
}

func usesCommons(layers []string) bool {
	return slices.ContainsFunc(layers, func(l string) bool { return strings.HasPrefix(l, "node-commons:") })
}

// handlerOf is the handler of common code.
func handlerOf(runtime string) string {
	switch {
	case strings.HasPrefix(runtime, "nodejs"):
		return "src/index.handler"
	case strings.HasPrefix(runtime, "python"):
		return "app.handler"
	case strings.HasPrefix(runtime, "java"):
		return "com.acme.Handler::handleRequest"
	case strings.HasPrefix(runtime, "ruby"):
		return "app.handler"
	case strings.HasPrefix(runtime, "dotnet"):
		return "Acme.Service::Acme.Service.Function::Handle"
	}
	return "bootstrap"
}

const pythonSource = `import json

from lib.steps import clean


def handler(event, context):
    rows = clean(event.get("Records", []))
    return {"statusCode": 200, "body": json.dumps({"rows": len(rows)})}
`

// nodeCode is a small service that runs; with the commons layer it needs the
// layer's logger.
func nodeCode(variant int, commons bool) files {
	logger := "const logger = { log: (level, message, fields) => console.log(level, message, fields) };"
	if commons {
		logger = "const logger = require('@acme/logger');"
	}
	return files{
		{path: "src/index.js", body: strings.ReplaceAll(nodeSource, "LOGGER", logger)},
		{path: "src/steps.js", body: fmt.Sprintf("'use strict';\nexports.limit = %d;\nexports.clean = (rows) => rows.filter(Boolean).slice(0, exports.limit);\n", 100*(variant+1))},
		{path: "package.json", body: fmt.Sprintf(`{"name": "service", "version": "1.%d.0", "private": true}`+"\n", variant)},
		{path: "node_modules/tiny-id/index.js", body: "'use strict';\nmodule.exports = (text) => [...text].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) >>> 0, 7).toString(36);\n"},
		{path: "node_modules/service-models/models.json", body: `{"model": "one of many, generated from the service's description"}` + "\n", repeat: weigh(variant) / 2},
		{path: "node_modules/tiny-id/package.json", body: `{"name": "tiny-id", "version": "0.3.1", "main": "index.js"}` + "\n"},
	}
}

const nodeSource = `'use strict';
LOGGER
const id = require('tiny-id');
const { clean } = require('./steps');
const defaults = require('../data/defaults.json');

exports.handler = async (event) => {
  const rows = clean(event.Records ?? []);
  logger.log('info', 'handled', { rows: rows.length });
  return { statusCode: 200, body: JSON.stringify({ id: id(JSON.stringify(event)), rows: rows.length, batch: defaults.batch }) };
};
`
