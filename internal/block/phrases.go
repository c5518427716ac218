package block

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// phrases say in words of this language what the HCL library reports, by its
// summary and the begin of its detail.
var phrases = map[string][]phrase{
	"Argument definition required":                    {{"", severalArguments, severalArgumentsRemedy}},
	"Argument or block definition required":           {{"", "Unreadable line", "An argument, name = value, or a block, name { … }, is expected here."}},
	"Attempt to get attribute from null value":        {{"", "Missing value", "This is null, so it has nothing inside it."}},
	"Extra characters after expression":               {{"", "Unexpected text", "The value ends before this: remove what follows it, or put text in quotes."}},
	"Extra characters after interpolation expression": {{"", unclosedExpression, unclosedExpressionRemedy}},
	"Incorrect condition type":                        {{"", "Invalid condition", "What precedes the question mark must be true or false; for example: node.name == \"lvs1\" ? 150 : 100"}},
	"Invalid argument name":                           {{"", "Quoted name", "The name of an argument has no quotes: remove them."}},
	"Invalid block definition": {
		{"The equals sign", "Unexpected equals sign", "A block has no equals sign: remove it."},
		{"Either", "Unexpected label", "Labels are in quotes, and the opening brace follows them: name \"label\" {"},
		{"", "Missing brace", "The opening brace of a block is on the line of its name."},
	},
	"Invalid character": {
		{"\"Curly", "Curly quotes", "Write straight quotes, as on a keyboard: \"text\"."},
		{"Single", "Single quotes", "Write double quotes: \"text\"."},
		{"The \"`\"", "Backquote", "Write double quotes: \"text\". Text of several lines is written as <<EOT, the lines, and EOT on a line of its own."},
		{"This character", "Invalid character", "This character has no meaning here: remove it. What looks like a space may be another character, copied from a web page or a document."},
	},
	"Invalid escape sequence":                    {{"", "Invalid backslash", "In quotes, a backslash is written twice: \\\\. A line break is \\n, and a quotation mark \\\"."}},
	"Invalid expression":                         {{"", "Missing value", "A value is expected here."}},
	"Invalid single-argument block definition":   {{"", severalArguments, severalArgumentsRemedy}},
	"Invalid template control keyword":           {{"", "Invalid directive", "In quotes, %{ begins a directive: write %%{ for these two characters themselves."}},
	"Invalid template directive":                 {{"", "Invalid directive", "In quotes, %{ begins a directive: write %%{ for these two characters themselves."}},
	"Missing argument separator":                 {{"", "Missing comma", "Write a comma between the arguments of a function."}},
	"Missing attribute separator":                {{"", "Missing comma", "Write a comma between the entries of a map; for example: { lvs1 = 150, lvs2 = 100 }"}},
	"Missing attribute value":                    {{"", "Missing value", "Each entry of a map has a value; for example: { lvs1 = 150, lvs2 = 100 }"}},
	"Missing close bracket on index":             {{"", "Missing bracket", "Write ] after the key; for example: { lvs1 = 150, lvs2 = 100 }[node.name]"}},
	"Missing expression":                         {{"", "Missing value", "A value is expected here."}},
	"Missing false expression in conditional":    {{"", "Incomplete condition", "Write both results; for example: node.name == \"lvs1\" ? 150 : 100"}},
	"Missing item separator":                     {{"", "Missing comma or bracket", "The items of a list are separated by commas, and ] ends it; for example: [\"10.13.0.200/24\", \"10.13.0.201/24\"]"}},
	"Missing key/value separator":                {{"", "Missing equals sign", "Each entry of a map has one; for example: { lvs1 = 150, lvs2 = 100 }"}},
	"Missing newline after argument":             {{"", "Unexpected text", "An argument ends with its line: write the next one on a line of its own, and put text in quotes."}},
	"Missing newline after block definition":     {{"", "Unexpected text", "A block ends at its closing brace, without a comma: remove what follows it on this line."}},
	"Unbalanced parentheses":                     {{"", "Missing parenthesis", "A parenthesis is open before this: write ) where it ends."}},
	"Unclosed template interpolation sequence":   {{"", unclosedExpression, unclosedExpressionRemedy}},
	"Unexpected comma after argument":            {{"", "Unexpected comma", "An argument ends with its line: remove the comma."}},
	"Unterminated function call":                 {{"", "Missing parenthesis", "Write ) after the last argument of this function."}},
	"Unterminated object constructor expression": {{"", "Missing brace", "Write } after the last entry of this map."}},
	"Unterminated template string":               {{"", "Missing quote", "The text that ends here has no closing quote."}},
	"Unterminated tuple constructor expression":  {{"", "Missing bracket", "Write ] after the last item of this list."}},
}

// A phrase is a mistake in other words. begin is the begin of the library's
// detail.
type phrase struct{ begin, summary, detail string }

const (
	severalArguments         = "Several arguments on one line"
	severalArgumentsRemedy   = "A block on one line can have only one argument, and no comma. Write each argument on a line of its own:\n  block {\n    first  = 1\n    second = 2\n  }"
	unclosedExpression       = "Unclosed expression"
	unclosedExpressionRemedy = "In quotes, ${ begins an expression, and } ends it. Write $${ for these two characters themselves."
)

// rephrase puts a report into words of this language, if it has some for it.
func rephrase(in *hcl.Diagnostic, out *Report) {
	for _, p := range phrases[in.Summary] {
		if strings.HasPrefix(in.Detail, p.begin) {
			out.Summary, out.Detail = p.summary, p.detail
			return
		}
	}
}
