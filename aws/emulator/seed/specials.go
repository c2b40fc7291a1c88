package seed

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

const (
	x86 = types.ArchitectureX8664
	arm = types.ArchitectureArm64
	day = 24 * time.Hour
)

// specials are the functions that show something, the most telling first: a small
// account has the first of them.
func specials() []function {
	return []function{
		{
			name: "orders-quote", team: "orders", runtime: "nodejs22.x", arch: x86, handler: "index.handler", memory: 256, timeout: 10,
			about: "Prices a basket; needs @acme/money from its layer", layers: []string{"node-commons:3"}, age: 9 * day,
			env: map[string]string{"CURRENCY": "EUR", "TAX_RATE": "19"}, code: quoteCode, attach: quoteAttachments,
		},
		{
			name: "orders-checkout", team: "orders", runtime: "nodejs22.x", arch: arm, handler: "app/checkout.handler", memory: 512, timeout: 15,
			about: "Takes an order; the later layer replaces the logger of the earlier", layers: []string{"node-commons:2", "observability:2"}, age: 3 * day,
			env: map[string]string{
				"NODE_OPTIONS": "--require /opt/observability/node/hook.js", "PAYMENT_API_KEY": "sk_live_seeded_not_real_4f7a", "TABLE": "orders",
			},
			code: checkoutCode, attach: checkoutAttachments,
		},
		{
			name: "search-embeddings", team: "search", runtime: "python3.13", arch: x86, handler: "app.handler", memory: 3008, timeout: 60,
			about: "Text embeddings; close to the size limit", layers: []string{"embedding-models:1", "python-commons:2"}, age: 30 * day,
			code: func() files {
				return append(common("python3.13", 1, nil), file{path: "vendor/numeric/_core.so", mode: 0o755, body: noise("numeric", 1024), repeat: 16 << 20})
			},
		},
		{
			name: "media-thumbnails", team: "media", arch: x86, memory: 1024, timeout: 30,
			about: "Small pictures of big ones, already a container image", age: 2 * day, adjust: thumbnailsImage,
		},
		{
			name: "billing-tax", team: "billing", runtime: "nodejs22.x", arch: x86, handler: "index.handler", memory: 128, timeout: 5,
			about: "Tax for an invoice line; its layer version was deleted", layers: []string{"tax-tables:1"}, age: 200 * day, code: taxCode,
		},
		{
			name: "shipping-geo", team: "shipping", runtime: "nodejs22.x", arch: x86, handler: "index.handler", memory: 128, timeout: 3,
			about: "Country of an address; the partner withdrew the layer", layers: []string{"partner-geo:1"}, age: 90 * day,
			code: func() files {
				return files{{path: "index.js", body: "'use strict';\nconst geo = require('partner-geo');\nexports.handler = async (event) => ({ country: geo.country(event.ip) });\n"}}
			},
		},
		{
			name: "web-storefront", team: "web", runtime: "nodejs22.x", arch: x86, handler: "src/index.handler", memory: 512, timeout: 10,
			about: "Pages of the shop, deployed by CloudFormation", layers: []string{"node-commons:3"}, age: 12 * day,
			tags: stackTags("web-production", "StorefrontFunction"), attach: storefrontAttachments,
		},
		{
			name: "accounts-signup-api", team: "accounts", runtime: "python3.12", arch: x86, handler: "app.handler", memory: 256, timeout: 10,
			about: "Sign-up, deployed by SAM", layers: []string{"python-commons:1"}, age: 60 * day,
			tags: with(stackTags("accounts-api", "SignupFunction"), map[string]string{"lambda:createdBy": "SAM"}),
		},
		{
			name: "support-notes", team: "support", runtime: "nodejs22.x", arch: x86, handler: "src/index.handler", memory: 128, timeout: 3,
			// Text that a terminal must never get as it is.
			about: "Notes \x1b[31mof support\x1b[0m\x07 \x1b]0;owned\x07\u202eesrever\u202c end", age: 5 * day,
			code: func() files {
				return append(common("nodejs22.x", 0, nil),
					file{path: "notes/escape.txt", body: "plain\n\x1b[2J\x1b[H\x1b[31mred\x1b[0m\n\x1b]0;owned\x07title\r overwritten\x08\x08\n\u009b31mC1\n\u202ereversed\u202c\n"},
					file{path: "notes/null.bin", body: "text, then\x00binary\x00" + noise("null", 200)})
			},
		},
		{
			name: "billing-invoice-run", team: "billing", runtime: "java21", arch: x86, handler: "com.acme.Handler::handleRequest", memory: 2048, timeout: 300,
			about: "Monthly invoices", layers: []string{"java-commons:1", "report-fonts:1"}, age: 25 * day,
			env: map[string]string{"JAVA_TOOL_OPTIONS": "-XX:+TieredCompilation -XX:TieredStopAtLevel=1", "DB_PASSWORD": "seeded-not-real-9c1e"}, adjust: vpcKmsAndQueue, attach: invoiceAttachments,
		},
		{
			name: "orders-events", team: "orders", runtime: "python3.13", arch: arm, handler: "app.handler", memory: 256, timeout: 60,
			about: "Order events from a queue and a stream", layers: []string{"python-commons:2", "observability:2"}, age: 7 * day,
			env: map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/observability-wrapper"}, attach: eventsMappings,
		},
		{
			name: "search-suggest", team: "search", runtime: "nodejs24.x", arch: arm, handler: "src/index.handler", memory: 512, timeout: 3,
			about: "Suggestions while typing", layers: []string{"node-commons:3", "apm-agent:2"}, age: 4 * day,
			env: map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/apm/wrapper"}, attach: suggestAttachments,
		},
		{
			name: "risk-legacy-metrics", team: "risk", runtime: "nodejs22.x", arch: x86, handler: "src/index.handler", memory: 128, timeout: 3,
			about: "Does not start: its extension is not executable", layers: []string{"metrics-forwarder:1"}, age: 400 * day,
		},
		{
			name: "risk-wrapper", team: "risk", runtime: "nodejs22.x", arch: x86, handler: "src/index.handler", memory: 128, timeout: 3,
			about: "Does not start: its wrapper is missing", age: 100 * day, env: map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/observability-wrapper"},
		},
		{
			name: "media-resize", team: "media", runtime: "provided.al2023", arch: arm, handler: "resize", memory: 1769, timeout: 60,
			about: "Resizes pictures with a program of its own", layers: []string{"image-tools:1", "shell-tools:1"}, age: 15 * day,
			code: func() files {
				return files{{path: "bootstrap", mode: 0o755, body: "\x7fELF" + noise("resize", 700_000)}, {path: "presets.json", body: `{"small": 120, "large": 1200}` + "\n"}}
			},
			adjust: func(_ *planter, in *lambda.CreateFunctionInput) error {
				in.EphemeralStorage = &types.EphemeralStorage{Size: aws.Int32(2048)}
				return nil
			},
		},
		{
			name: "media-probe", team: "media", runtime: "provided.al2", arch: x86, handler: "probe", memory: 256, timeout: 20,
			about: "Reads media headers; its runtime is deprecated", layers: []string{"shell-tools:1"}, age: 500 * day,
			code: func() files {
				return files{{path: "probe", mode: 0o755, body: "#!/bin/sh\necho '{}'\n"}}
			},
		},
		{
			name: "accounts-mailer", team: "accounts", runtime: "nodejs20.x", arch: x86, handler: "src/index.handler", memory: 128, timeout: 10,
			about: "Welcome mail; its runtime is deprecated", layers: []string{"node-commons:1"}, age: 420 * day, attach: asyncOnFailure,
		},
		{
			name: "accounts-avatar", team: "accounts", runtime: "nodejs18.x", arch: x86, handler: "src/index.handler", memory: 256, timeout: 10,
			about: "Profile pictures; its runtime is long deprecated", layers: []string{"node-commons:1"}, age: 700 * day,
		},
		{
			name: "data-nightly", team: "data", runtime: "python3.9", arch: x86, handler: "app.handler", memory: 1024, timeout: 900,
			about: "Nightly export; its runtime is long deprecated", layers: []string{"python-commons:1"}, age: 650 * day,
		},
		{
			name: "catalog-pricing", team: "catalog", runtime: "dotnet8", arch: x86, handler: "Acme.Service::Acme.Service.Function::Handle", memory: 512, timeout: 30,
			about: "Price rules; its runtime is deprecated", age: 300 * day, env: map[string]string{"DOTNET_STARTUP_HOOKS": "/var/task/Acme.Hook.dll"},
		},
		{
			name: "catalog-feed", team: "catalog", runtime: "ruby3.4", arch: arm, handler: "app.handler", memory: 256, timeout: 30,
			about: "Product feed for partners", layers: []string{"ruby-gems:1"}, age: 45 * day, attach: disabledMapping,
		},
		{
			name: "data-paused", team: "data", runtime: "python3.12", arch: x86, handler: "app.handler", memory: 128, timeout: 3,
			about: "Switched off by a reserved concurrency of zero", layers: []string{"python-commons:2"}, age: 80 * day, attach: reserve(0),
		},
		{
			name: "data-import", team: "data", runtime: "nodejs22.x", arch: x86, handler: "index.handler", memory: 128, timeout: 3,
			about: "Packed on a machine without Unix modes", age: 33 * day,
			code: func() files {
				return files{
					{path: "index.js", dos: true, body: "'use strict';\nexports.handler = async (event) => require('./rows').count(event.rows);\n"},
					{path: "rows.js", dos: true, body: "'use strict';\nexports.count = (rows) => (rows ?? []).length;\n"},
				}
			},
		},
		{
			name: "data-private", team: "data", runtime: "nodejs22.x", arch: x86, handler: "index.handler", memory: 128, timeout: 3,
			about: "Does not start: its files are readable by their owner only", age: 34 * day,
			code: func() files {
				return files{{path: "index.js", mode: 0o600, body: "exports.handler = async () => 'ok';\n"}}
			},
		},
		{
			name: "web-session", team: "web", runtime: "nodejs22.x", arch: x86, handler: "index.handler", memory: 128, timeout: 3,
			about: "Sessions by cookie, with a callback", age: 21 * day,
			code: func() files {
				return files{{path: "index.js", body: "'use strict';\nexports.handler = (event, context, callback) => {\n  setTimeout(() => callback(null, { session: event.cookie ?? 'new', function: context.functionName }), 5);\n};\n"}}
			},
			attach: functionURL,
		},
	}
}

func with(a, b map[string]string) map[string]string {
	for k, v := range b {
		a[k] = v
	}
	return a
}

// stackName is the tag that CloudFormation puts on what it manages.
const stackName = "aws:cloudformation:stack-name"

// stackTags are CloudFormation's on a function of a stack; the stack's id, which
// holds the account, is added when the function is made.
func stackTags(stack, logical string) map[string]string {
	return map[string]string{stackName: stack, "aws:cloudformation:logical-id": logical}
}

func quoteCode() files {
	return files{
		{path: "index.js", body: `'use strict';
const money = require('@acme/money');
const { log } = require('@acme/logger');
const { shipping } = require('./lib/shipping');

exports.handler = async (event) => {
  const items = event.items ?? [{ cents: 1999, quantity: 2 }];
  const net = money.sum(items) + shipping(items.length);
  const tax = money.percent(net, Number(process.env.TAX_RATE));
  log('info', 'quoted', { items: items.length });
  return { net, tax, total: money.format(net + tax, process.env.CURRENCY) };
};
`},
		{path: "lib/shipping.js", body: "'use strict';\nexports.shipping = (count) => (count > 3 ? 0 : 490);\n"},
		{path: "package.json", body: `{"name": "orders-quote", "version": "3.2.0", "private": true}` + "\n"},
		{path: "README.md", body: "# orders-quote\n\nPrices a basket in whole cents.\n"},
	}
}

func checkoutCode() files {
	return files{
		{path: "app/checkout.js", body: `'use strict';
const logger = require('@acme/logger');
const { createHash } = require('crypto');
const { validate } = require('../lib/validate');

let orders = 0;
exports.handler = async (event) => {
  validate(event);
  orders += 1;
  logger.log('info', 'checkout', { orders });
  return {
    order: createHash('sha256').update(JSON.stringify(event)).digest('hex').slice(0, 12),
    logger: logger.version,
    hook: globalThis.__observability ?? null,
  };
};
`},
		{path: "lib/validate.js", body: "'use strict';\nexports.validate = (event) => {\n  if (event && event.basket === null) throw new RangeError('the basket is empty');\n};\n"},
		{path: "package.json", body: `{"name": "orders-checkout", "version": "8.0.1", "private": true}` + "\n"},
		// The same path as in the commons layer, under /var/task: no shadow there.
		{path: "share/LICENSE", body: license},
	}
}

func taxCode() files {
	return files{{path: "index.js", body: `'use strict';
const tax = require('@acme/tax');
exports.handler = async (event) => ({ country: event.country ?? 'DE', rate: tax.rate(event.country ?? 'DE') });
`}}
}
