import Testing

@testable import Templates

enum LiquidTagTables {
    static let outputs: [LiquidCase] = [
        .init("{{ }}{{}}{{-}}a {{- 'b' -}} c", "abc"),
        .init(
            "{{ a.b[c]['d e'][-1] }}{{ a.x.y }}{{ ['top one'] }}{{ [k].b.z }}", "2t",
            #"{"a":{"b":{"k":{"d e":[1,2]}}},"c":"k","top one":"t","k":"a"}"#),
        .init(
            "{{ a.size }}{{ a.first }}{{ a.last }}{{ s.size }}{{ s.first }}{{ s.last }}{{ o.size }}{{ o.first }}",
            "213" + "3žb" + "1k7", #"{"a":[1,3],"s":"žab","o":{"k":7}}"#),
        .init(
            "{{ o.size }}{{ o['first'] }}{{ a['size'] }}{{ s[0] }}{{ a[1.0] }}{{ a['0'] }}", "x",
            #"{"o":{"size":"x"},"a":[1],"s":"ab"}"#),
        .init("{{ (1..3) }} {{ (3..1) }} {{ ('2'..x) }} {{ (1..3).size }}", nil),
        .init("{{ (1..3) }} {{ (3..1) | size }} {{ ('2'..x) }}", "1..3 0 2..0"),
        .init("{{ (a..3) }}", nil, #"{"a":[1]}"#),
        .init(
            "{{ true }} {{ false }} {{ nil }} {{ null }} {{ empty }} {{ blank }} {{ -1 }} {{ 1.50 }}",
            "true false     -1 1.5"),
        .init("{{ self['a'] }}{{ self.a }}{{ self }}", "11", #"{"a":1}"#),
        .init("{{ größe }}{{ a-b }}{{ c? }}{{ _d }}", "1234", #"{"größe":1,"a-b":2,"c?":3,"_d":4}"#),
        .init("{{\u{A0}a\u{A0}}}", "1", #"{"a":1}"#),
        .init("{{ a", nil), .init("{{ a }", nil), .init("{{ 'a }}", nil), .init("{{ a b }}", nil),
        .init("{{ a | }}", nil),
        .init("{{ a | 1 }}", nil), .init("{{ a..b }}", nil), .init("{{ a.0 }}", nil), .init("{{ a[1 }}", nil),
        .init("{% assign %}", nil), .init("{% assign a %}", nil), .init("{% assign a = %}", ""), .init("{% %}", nil),
        .init("{% if %}{% endif %}", nil), .init("{% if a %}", nil), .init("{% if a %}{% endfor %}", nil),
        .init("{% endif %}", nil), .init("{% else %}", nil), .init("{% while a %}", nil), .init("{% if a", nil),
        .init("{% for a %}{% endfor %}", nil), .init("{% for a in b limit %}{% endfor %}", nil),
        .init("{% case %}{% endcase %}", nil), .init("{% cycle %}", nil), .init("{% render x %}", nil),
    ]

    static let conditions: [LiquidCase] = [
        .init(
            "{% if a %}a{% elsif b %}b{% else %}c{% endif %}{% unless a %}d{% else %}e{% endunless %}", "bd",
            #"{"b":0}"#),
        .init("{% unless a %}{{ a }}x{% elsif b %}y{% else %}z{% endunless %}", "y", #"{"a":1,"b":""}"#),
        .init("{% if true or false and false %}1{% endif %}{% if false and false or true %}2{% endif %}", "1"),
        .init("{% if 1 < 2.5 and 'b' > 'a' and 2 >= 2 and 2 <= 2 and 1 != 2 and 1 <> 2 %}yes{% endif %}", "yes"),
        .init(
            "{% if nil < 1 or nil > 1 or a < 1 or o > 1 or true > 0 %}yes{% else %}no{% endif %}", "no",
            #"{"a":[],"o":{}}"#),
        .init("{% if 'a' < 1 %}x{% endif %}", nil), .init("{% if 1 > 'a' %}x{% endif %}", nil),
        .init("{% if 1 == 1.0 %}a{% endif %}{% if '1' == 1 %}b{% endif %}{% if nil == false %}c{% endif %}", "a"),
        .init(
            "{% if a == b %}a{% endif %}{% if o == p %}o{% endif %}", "ao",
            #"{"a":[1,[2]],"b":[1.0,[2]],"o":{"x":1,"y":2},"p":{"y":2,"x":1}}"#),
        .init(
            "{% if 'abc' contains 'b' %}1{% endif %}{% if a contains 2 %}2{% endif %}{% if o contains 'k' %}3{% endif %}",
            "123", #"{"a":[1,2],"o":{"k":null}}"#),
        .init(
            "{% if (1..5) contains 3 %}1{% endif %}{% if 'a1' contains 1 %}2{% endif %}{% if 5 contains 5 %}3{% endif %}",
            "12"),
        .init("{% if x.contains %}y{% endif %}", "y", #"{"x":{"contains":true}}"#),
        .init(
            "{% for v in a %}{% if v == empty %}E{% endif %}{% if v == blank %}B{% endif %},{% endfor %}",
            "EB,B,,EB,,EB,,B,B,,", #"{"a":[""," ","a",[],[0],{},{"k":1},null,false,0]}"#),
        .init("{% if empty == empty %}a{% endif %}{% if '' != empty %}b{% endif %}{% if blank %}c{% endif %}", "c"),
        .init("{% case a %}{% when 1, 2 %}x{% when 'b' or 'c' %}y{% else %}z{% endcase %}", "y", #"{"a":"c"}"#),
        .init("{% case a %}{% when empty %}e{% when 'b' %}y{% endcase %}", "e", #"{"a":""}"#),
        .init("{% case 1 %}junk{% when 1 %}a{% when 1, 1 %}b{% else %}c{% endcase %}", "abb"),
        .init("{% case 1 %}{% else %}a{% when 2 %}b{% else %}c{% endcase %}", "ac"),
        .init("{% case 1 %}{% else x %}{% endcase %}", nil),
        .init(
            "[{% if true %} \n {% endif %}][{% if true %} {% assign x = 1 %} {% endif %}][{% if true %} {{ '' }}{% endif %}]",
            "[][][ ]"),
    ]

    static let loops: [LiquidCase] = [
        .init(
            "{% for i in a %}{{ i }}{% else %}none{% endfor %}{% for i in b %}{{ i }}{% else %}none{% endfor %}",
            "12none", #"{"a":[1,2],"b":[]}"#),
        .init(
            "{% for i in (1..9) limit: 3 offset: 2 %}{{ i }}{% endfor %}{% for i in (1..9) reversed, limit: 2 %}{{ i }}{% endfor %}",
            "34521"),
        .init(
            "{% for i in a limit: 2 %}{{ i }}{% endfor %}-{% for i in a offset: continue limit: 1 %}{{ i }}{% endfor %}-{% for i in a offset:continue %}{{ i }}{% endfor %}",
            "12-3-45", #"{"a":[1,2,3,4,5]}"#),
        .init(
            "{% for i in a offset: -1 limit: 3 %}{{ i }}{% endfor %}{% for i in a limit: -1 %}{{ i }}{% endfor %}{% for i in a offset: 9 %}x{% endfor %}",
            "12", #"{"a":[1,2,3]}"#),
        .init(
            "{% for p in o %}{{ p[0] }}={{ p.last }};{% endfor %}{% for c in 'abc' %}{{ c }}{% endfor %}{% for c in 5 %}x{% endfor %}",
            "k=1;l=2;abc", #"{"o":{"k":1,"l":2}}"#),
        .init(
            "{% for i in (1..2) %}{% for j in (1..2) %}{{ forloop.parentloop.index }}{{ forloop.index0 }}{{ forloop.rindex }}{{ forloop.first }}{{ forloop.last }} {% endfor %}{% endfor %}",
            "102truefalse 111falsetrue 202truefalse 211falsetrue "),
        .init(
            "{% for i in (1..3) %}{{ forloop.length }}{{ forloop.rindex0 }}{{ forloop.name }} {% endfor %}{{ forloop }}",
            "32i-(1..3) 31i-(1..3) 30i-(1..3) "),
        .init(
            "{% for i in (1..1) %}{{ forloop }}{{ forloop.x }}{% assign f = forloop %}{% endfor %}{{ f.length }}",
            "Liquid::ForloopDrop1"),
        .init(
            "{% for i in (1..5) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 4 %}{% break %}{% endif %}{{ i }}{% endfor %}",
            "13"),
        .init("a{% break %}b", "a"),
        .init("{% for i in (1..3) %}{% assign x = i %}{% endfor %}{{ x }}{{ i }}", "3"),
        .init("{% for i in (1..2) limit: 'x' %}{{ i }}{% endfor %}", nil),
        .init("{% for i in (1..2) limit: nil offset: nil %}{{ i }}{% endfor %}", "12"),
        .init("{% for i in (1..2), %}{{ i }}{% endfor %}", "12"),
        .init("[{% for i in (1..2) %}  {% endfor %}][{% for i in (1..2) %} {% cycle '' %}{% endfor %}]", "[][  ]"),
        .init(
            "{% tablerow i in (1..3) cols: 2 %}{{ i }}{{ tablerowloop.row }}{{ tablerowloop.col }}{{ tablerowloop.col_last }}{% endtablerow %}",
            "<tr class=\"row1\">\n<td class=\"col1\">111false</td><td class=\"col2\">212true</td></tr>\n<tr class=\"row2\"><td class=\"col1\">321false</td></tr>\n"
        ),
        .init(
            "{% tablerow i in nothing %}x{% endtablerow %}{% tablerow i in (2..1) %}x{% endtablerow %}",
            "<tr class=\"row1\">\n</tr>\n"),
        .init(
            "{% tablerow i in (1..4) limit: 1 offset: '2' %}{{ i }}{% endtablerow %}",
            "<tr class=\"row1\">\n<td class=\"col1\">3</td></tr>\n"),
        .init("{% tablerow i in (1..4) cols: a %}{{ i }}{% endtablerow %}", nil, #"{"a":[]}"#),
        .init("{% for i in (1..5) %}{% cycle 'a', 'b' %}{% cycle 'g': 1, 2, 3 %}{% endfor %}", "a1b2a3b1a2"),
        .init(
            "{% cycle x, y %}{% cycle x, y %}{% cycle 1, 2 %}{% cycle 1, 2 %}{% cycle a, 1, %}", "1112",
            #"{"x":1,"y":2}"#),
        .init(
            "{% increment c %}{% increment c %}{{ c }}{% decrement c %}{% decrement d %}{{ d }}{% assign c = 'x' %}{% increment c %}{{ c }}",
            "0121-1-11x"),
        .init("{% increment n %}{{ n }}", "01", #"{"n":10}"#),
        .init(
            "{% ifchanged %}a{% endifchanged %}{% ifchanged %}a{% endifchanged %}{% ifchanged %}b{% endifchanged %}",
            "ab"),
    ]

    static let others: [LiquidCase] = [
        .init(
            "{% assign a = 'x' | upcase %}{% assign b = a %}{% assign a = 1 %}{{ b }}{{ a }}{{ c }}", "X1d",
            #"{"c":"d"}"#),
        .init(
            "{% capture a %}x{{ b }}{% endcapture %}{{ a }}{{ a | size }}{% capture 'q' %}z{% endcapture %}{{ q }}",
            "xy2z", #"{"b":"y"}"#),
        .init(
            "a{% comment %} {{ x }} {% if %} {% comment %}{% endcomment %} {% raw %}{% endcomment %}{% endraw %}{% endcomment %}b",
            "ab"),
        .init("{% comment %}", nil), .init("{% comment %}{% comment %}{% endcomment %}", nil),
        .init("a{% # one %}b{%# two %}{%- # 1\n # 2\n\n -%} c", "abc"), .init("{% # one\n two %}", nil),
        .init("{% raw %}{{ a }} {% b {% endraw %}{% raw -%} x {%- endraw %}", "{{ a }} {% b  x "),
        .init("{% raw %}", nil), .init("{% raw x %}{% endraw %}", nil),
        .init("a{% doc %}{% broken {{ {% enddoc %}b", "ab"), .init("{% doc %}{% doc %}{% enddoc %}", nil),
        .init("{% echo a | upcase %}{% echo %}", "X", #"{"a":"x"}"#),
        .init(
            "{% liquid\n  assign a = 1\n\n  if a == 1\n  echo 'one'\n  # note\n  endif\n  comment\n x\n endcomment\n for i in (1..2)\n echo i\n endfor %}",
            "one12"),
        .init("{% liquid if true %}", nil), .init("{% if true %}{% liquid endif %}", nil),
        .init("{% liquid\n what %}", nil),
        .init(" a {%- assign x = 1 -%} \n b \n{%- if true -%} c {%- endif -%} d ", " abcd "),
    ]

    static let partials: [LiquidCase] = [
        .init("{% assign outer = 1 %}{% render 'card', x: 2 %}", "[2D]", #"{"data":"D"}"#),
        .init("{% assign outer = 1 %}{% include 'card', x: 2 %}{{ x }}", "[21D]", #"{"data":"D"}"#),
        .init("{% render 'card' with c %}{% render 'card' with c as d %}", "[T][]", #"{"c":{"t":"T"}}"#),
        .init("{% render 'loop' for a %}{% include 'loop' for a %}", "11false 22true 1 2 ", #"{"a":[1,2]}"#),
        .init("{% render 'loop' for (1..2) as i %}{% render 'loop' for 5 %}", "1false 2true 5 "),
        .init("{% include 'nested/inner' with 7 %}{% include name with 8 %}", "78", #"{"name":"nested/inner"}"#),
        .init("{% for loopvar in (1..2) %}{% include 'set' %}{% render 'set' %}{% endfor %}{{ outer }}", "12set"),
        .init("{% for i in (1..2) %}{{ i }}{% include 'stop' %}{% endfor %}!", "1s!"),
        .init("{% for i in (1..2) %}{{ i }}{% render 'stop' %}{% endfor %}!", "1s2s!"),
        .init("{% increment n %}{% render 'count' %}{% include 'count' %}", "001"),
        .init("{% render 'nothing' %}", nil), .init("{% render 'includes' %}", nil), .init("{% render 'again' %}", nil),
        .init("{% render 'broken' %}", nil), .init("{% include 5 %}", nil),
        .init("{% if false %}{% render 'broken' %}{% endif %}", ""),
    ]
}

struct LiquidTagTests {
    @Test(
        "a tag does what it is documented to do",
        arguments: LiquidTagTables.outputs + LiquidTagTables.conditions + LiquidTagTables.loops + LiquidTagTables.others
    )
    func tags(row: LiquidCase) throws {
        #expect(try row.rendered() == row.result)
    }

    private static let snippets = [
        "card": "[{{ card.t }}{{ x }}{{ outer }}{{ data }}]", "set": "{% assign outer = 'set' %}{{ loopvar }}",
        "stop": "s{% break %}t",
        "loop": "{{ loop }}{{ forloop.index }}{{ forloop.last }} ", "nested/inner": "{{ inner }}",
        "again": "{% render 'again' %}",
        "includes": "{% include 'card' %}", "broken": "a\n{{ b", "count": "{% increment n %}",
    ]

    @Test("snippets see what they should", arguments: LiquidTagTables.partials)
    func snippets(row: LiquidCase) throws {
        #expect(try row.rendered(Self.snippets) == row.result)
    }
}
