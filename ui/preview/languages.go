package preview

import (
	"strings"
	"sync"

	"github.com/alecthomas/chroma/v2"
)

// language is what the lexer of a programming language is made of: regular
// expressions, and words with spaces between them. The languages are those that
// functions and their layers are written and configured in; the lexers that come
// with the library are for hundreds, and cost megabytes and time at every start.
type language struct {
	name     string
	files    string // patterns of names
	comment  string
	text     string // string literals
	keywords string
	named    string // keywords before a name that they give
	names    string // what else stands out, as an expression
}

const (
	lineComment  = `//[^\n]*`
	blockComment = `/\*[\s\S]*?(?:\*/|\z)`
	hashComment  = `#[^\n]*`
	doubleQuoted = `"(?:\\.|[^"\\\n])*"?`
	singleQuoted = `'(?:\\.|[^'\\\n])*'?`
	backQuoted   = "`(?:\\\\[\\s\\S]|[^`\\\\])*(?:`|\\z)"
	tripleQuoted = `"""[\s\S]*?(?:"""|\z)|'''[\s\S]*?(?:'''|\z)`
	number       = `\b(?:0[xX][0-9a-fA-F_]+|0[bBoO][0-7_]+|[0-9][0-9_]*(?:\.[0-9_]+)?(?:[eE][+-]?[0-9]+)?)(?:[a-zA-Z]{1,3}\b|\b)`
	decorator    = `@[A-Za-z_][\w.]*`
)

func programming() []language {
	return []language{
		{
			"javascript", "*.js *.mjs *.cjs *.jsx *.ts *.mts *.cts *.tsx", lineComment + "|" + blockComment, doubleQuoted + "|" + singleQuoted + "|" + backQuoted,
			"abstract as async await break case catch const continue debugger declare default delete do else export extends false finally for from get if implements import in instanceof is keyof let namespace new null of private protected public readonly return satisfies set static super switch this throw true try typeof undefined var void while with yield",
			"function class interface enum type", decorator,
		},
		{
			"python", "*.py *.pyi *.pyw", hashComment, "[rRbBuUfF]{0,2}(?:" + tripleQuoted + "|" + doubleQuoted + "|" + singleQuoted + ")",
			"False None True and as assert async await break case continue del elif else except finally for from global if import in is lambda match nonlocal not or pass raise return self try while with yield",
			"def class", decorator,
		},
		{
			"shell", "*.sh *.bash *.zsh *.ksh .bashrc .profile", `(?<![\w$\\{}])` + hashComment, `"(?:\\[\s\S]|[^"\\])*(?:"|\z)|'[^']*(?:'|\z)`,
			"case do done elif else esac eval exec exit export fi for if in local readonly return select set shift source then trap unset until while",
			"function", `\$(?:\{[^}\n]*\}|[\w@*#?$!-]+)`,
		},
		{
			"go", "*.go", lineComment + "|" + blockComment, doubleQuoted + "|" + singleQuoted + "|`[^`]*(?:`|\\z)",
			"break case chan const continue default defer else fallthrough false for go goto if import interface iota map nil package range return select struct switch true var",
			"func type", "",
		},
		{
			"java", "*.java *.kt *.kts *.scala *.groovy *.gradle", lineComment + "|" + blockComment, tripleQuoted + "|" + doubleQuoted + "|" + singleQuoted,
			"abstract assert boolean break byte case catch char const continue default do double else extends false final finally float for if implements import in instanceof int is lateinit long native new null object override package private protected public return sealed short static super switch synchronized this throw throws transient true try val var void volatile when while yield",
			"class interface enum record fun def trait", decorator,
		},
		{
			"ruby", "*.rb *.rake *.gemspec Gemfile Rakefile", hashComment, doubleQuoted + "|" + singleQuoted,
			"alias and begin break case do else elsif end ensure false for if in include next nil not or private protected public raise redo require require_relative rescue retry return self super then true undef unless until when while yield",
			"def class module", `:[A-Za-z_]\w*[?!]?|@{1,2}[A-Za-z_]\w*`,
		},
		{
			"csharp", "*.cs", lineComment + "|" + blockComment, `\$?@?` + doubleQuoted + "|" + singleQuoted,
			"abstract as async await base bool break byte case catch char checked const continue decimal default delegate do double else event explicit extern false finally fixed float for foreach get goto if implicit in init int internal is lock long new null object operator out override params private protected public readonly ref return sbyte sealed set short sizeof static string switch this throw true try typeof uint ulong unchecked unsafe ushort using var virtual void volatile when where while yield",
			"class interface enum record struct namespace", "",
		},
		{
			"c", "*.c *.h *.cc *.cpp *.cxx *.hpp *.rs", lineComment + "|" + blockComment, doubleQuoted + `|'(?:\\[^'\n]*|[^'\\\n])'`,
			"as async auto await bool break case catch char const constexpr continue crate default delete do double dyn else explicit extern false float for friend goto if impl in inline int let long loop match mod move mut new noexcept nullptr operator override private protected pub public ref return self short signed sizeof static super switch template this throw true try typedef typename union unsafe unsigned use using virtual void volatile where while",
			"fn struct enum class trait type namespace", `^[ \t]*#[a-z]\w*`,
		},
		{
			"php", "*.php", lineComment + "|" + blockComment + "|" + hashComment, doubleQuoted + "|" + singleQuoted,
			"abstract and array as break callable case catch clone const continue declare default do echo else elseif empty extends false final finally fn for foreach global if implements include include_once instanceof isset list match namespace new null or private protected public readonly require require_once return static switch this throw true try unset use var while yield",
			"function class interface trait enum", `\$\w+|<\?php|\?>`,
		},
		{
			"docker", "Dockerfile Dockerfile.* *.dockerfile", `^[ \t]*` + hashComment, doubleQuoted + "|" + singleQuoted,
			"ADD ARG AS CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR", "", `\$(?:\{[^}\n]*\}|\w+)`,
		},
		{
			"sql", "*.sql", `--[^\n]*|` + blockComment, doubleQuoted + "|" + singleQuoted,
			"ADD ALTER AND AS ASC BEGIN BETWEEN BY CASE COMMIT CONSTRAINT CREATE DEFAULT DELETE DESC DISTINCT DROP ELSE END EXISTS FOREIGN FROM GROUP HAVING IN INDEX INNER INSERT INTO IS JOIN KEY LEFT LIKE LIMIT NOT NULL ON OR ORDER OUTER PRIMARY REFERENCES RIGHT ROLLBACK SELECT SET TABLE THEN UNION UNIQUE UPDATE VALUES VIEW WHEN WHERE", "", "",
		},
	}
}

// rules are those of a lexer: the first that matches wins.
func (l language) rules() chroma.Rules {
	rules := []chroma.Rule{{Pattern: l.comment, Type: chroma.Comment}, {Pattern: l.text, Type: chroma.LiteralString}}
	if l.names != "" {
		rules = append(rules, chroma.Rule{Pattern: l.names, Type: chroma.NameBuiltin})
	}
	rules = append(rules, chroma.Rule{Pattern: number, Type: chroma.LiteralNumber})
	if l.named != "" {
		rules = append(rules,
			chroma.Rule{Pattern: words(l.named) + `([ \t]+)([A-Za-z_$][\w$.]*)`, Type: chroma.ByGroups(chroma.Keyword, chroma.Text, chroma.NameFunction)},
			chroma.Rule{Pattern: words(l.named), Type: chroma.Keyword})
	}
	return root(append(rules, chroma.Rule{Pattern: words(l.keywords), Type: chroma.Keyword})...)
}

func words(list string) string {
	return `(?<![\w$.])(` + strings.ReplaceAll(list, " ", "|") + `)(?![\w$])`
}

// root ends a list of rules with what is left: words and single characters.
func root(rules ...chroma.Rule) chroma.Rules {
	return chroma.Rules{"root": append(rules, chroma.Rule{Pattern: `[\w$]+|\s+|[\s\S]`, Type: chroma.Text})}
}

func rule(pattern string, t chroma.Emitter) chroma.Rule {
	return chroma.Rule{Pattern: pattern, Type: t}
}

// languages are the lexers by name, made when the first file is looked into.
var languages = sync.OnceValue(func() *chroma.LexerRegistry {
	all := chroma.NewLexerRegistry()
	add := func(name, files string, fold bool, rules func() chroma.Rules) {
		config := &chroma.Config{Name: name, Filenames: strings.Fields(files), CaseInsensitive: fold}
		all.Register(chroma.MustNewLexer(config, rules))
	}
	for _, l := range programming() {
		add(l.name, l.files, l.name == "sql", l.rules)
	}
	key := chroma.NameAttribute
	add("json", "*.json *.jsonc *.map *.webmanifest .eslintrc .babelrc composer.lock", false, func() chroma.Rules {
		return root(
			rule(`"(?:\\.|[^"\\\n])*"(?=\s*:)`, key), rule(doubleQuoted, chroma.LiteralString), rule(`-?`+number, chroma.LiteralNumber),
			rule(words("true false null"), chroma.Keyword), rule(lineComment+"|"+blockComment, chroma.Comment),
		)
	})
	add("yaml", "*.yaml *.yml", false, func() chroma.Rules {
		return root(
			rule(`(?<![^\s])`+hashComment, chroma.Comment), rule(`[\w./$-]+(?=:(?:\s|\z))`, key), rule(`"[^"\n]*"(?=:\s)`, key),
			rule(`(?<![^\s\[,])(?:`+doubleQuoted+"|"+singleQuoted+")", chroma.LiteralString), rule(`(?<=[\s\[,])-?`+number+`(?=[\s,\]]|\z)`, chroma.LiteralNumber),
			rule(`(?<=[\s\[,])(?:true|false|null|yes|no|on|off)(?=[\s,\]]|\z)|^(?:---|\.\.\.)`, chroma.Keyword), rule(`![A-Za-z][\w:]*|[&*][A-Za-z]\w*`, chroma.NameTag),
		)
	})
	add("toml", "*.toml *.ini *.cfg *.conf *.properties *.env .env Pipfile poetry.lock uv.lock", false, func() chroma.Rules {
		return root(
			rule(`(?<![^\s])[#;][^\n]*`, chroma.Comment), rule(`^[ \t]*\[[^\]\n]*\]+`, chroma.Keyword), rule(`^[ \t]*[\w."-]+(?=[ \t]*[=:])`, key),
			rule(tripleQuoted+"|"+doubleQuoted+"|"+singleQuoted, chroma.LiteralString), rule(number, chroma.LiteralNumber), rule(words("true false"), chroma.Keyword),
		)
	})
	add("xml", "*.xml *.html *.htm *.xhtml *.svg *.pom *.xsd *.csproj *.config *.plist *.vue", false, func() chroma.Rules {
		return root(
			rule(`<!--[\s\S]*?(?:-->|\z)`, chroma.Comment), rule(`<[?!][^>]*>`, chroma.Keyword), rule(`</?[A-Za-z][\w:.-]*|/?>`, chroma.NameTag),
			rule(`[A-Za-z_:][\w:.-]*(?=\s*=\s*["'])`, key), rule(`(?<==\s*)"[^"]*"|(?<==\s*)'[^']*'`, chroma.LiteralString), rule(`&#?\w+;`, chroma.LiteralNumber),
		)
	})
	add("css", "*.css *.scss *.less", false, func() chroma.Rules {
		return root(
			rule(blockComment+`|(?<![^\s;{}])//[^\n]*`, chroma.Comment), rule(`@[a-z-]+|!important`, chroma.Keyword), rule(`[\w-]+(?=\s*:\s)`, key),
			rule(doubleQuoted+"|"+singleQuoted, chroma.LiteralString), rule(`#[0-9a-fA-F]{3,8}\b(?=[^{}\n]*;)|-?(?:\d*\.)?\d+(?:[a-z]{1,4}\b|%|\b)`, chroma.LiteralNumber),
			rule(`[.#][A-Za-z_][\w-]*`, chroma.NameTag),
		)
	})
	add("markdown", "*.md *.markdown *.rst", false, func() chroma.Rules {
		return root(
			rule("^[ \\t]*```[\\s\\S]*?(?:^[ \\t]*```|\\z)|`[^`\\n]+`", chroma.LiteralString), rule(`^#{1,6} [^\n]*`, chroma.Keyword), rule(`^[ \t]*(?:[-*+]|\d+\.)(?=\s)`, chroma.LiteralNumber),
			rule(`\*\*[^*\n]+\*\*|\[[^\]\n]*\](?=[(\[])`, chroma.NameTag), rule(`<!--[\s\S]*?(?:-->|\z)`, chroma.Comment),
		)
	})
	return all
})
