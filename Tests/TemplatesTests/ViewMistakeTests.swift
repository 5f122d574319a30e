import Testing

@testable import Templates

@Suite struct ViewMistakeTests {
    @Test(
        "Names and types are checked",
        arguments: [
            ("{{ titel }}", "unknown field 'titel' on TestPage (did you mean 'title'?)"),
            ("{{ xyz }}", "unknown field 'xyz' on TestPage"),
            ("{{ chrome.usrName }}", "unknown field 'usrName' on TestChrome (did you mean 'userName'?)"),
            ("{{ title.name }}", "'title' is a text and has no field 'name'"),
            (
                "{% for row in rows %}{{ row.nam }}{% endfor %}",
                "unknown field 'nam' on TestRow (did you mean 'name'?)"
            ),
            (
                "{% for row in rows %}{{ rwo.name }}{% endfor %}",
                "unknown field 'rwo' on TestPage (did you mean 'row'?)"
            ),
            (
                "{% for row in rows %}{% endfor %}{{ row.name }}",
                "unknown field 'row' on TestPage (did you mean 'rows'?)"
            ),
            ("{% for x in title %}{% endfor %}", "{% for %} needs a list, but this is a text"),
            ("{% for count in tags %}{% endfor %}", "'count' is already the name of a field of TestPage"),
            ("{{ forloop.index }}", "forloop is known only inside {% for %}"),
            (
                "{% for tag in tags %}{{ forloop.key }}{% endfor %}",
                "forloop has only index, index0, first, last, length"
            ),
            ("{{ isAdmin }}", "a flag cannot be written: use {% if %}"),
            ("{{ made }}", "a date needs a form: | date, | datetime, | time, | iso or | relative"),
            ("{{ tags }}", "a list of texts cannot be written: use | join or {% for %}"),
            ("{{ rows }}", "a list cannot be written: use {% for %}"),
            ("{{ chrome }}", "a TestChrome cannot be written: name one of its fields"),
            ("{{ title | number }}", "| number takes a number, but this is a text"),
            ("{{ count | percent }}", "| percent takes a decimal share such as 0.04, but this is a number"),
            ("{{ title | upcas }}", "unknown filter 'upcas' (did you mean 'upcase'?)"),
            ("{{ count | plural: \"one\" }}", "| plural takes \"one\", \"many\""),
            ("{{ count | default: 1 }}", "| default has nothing to do: this is never absent"),
            ("{% if title %}{% endif %}", "'title' is a text and always there: compare it with something"),
            ("{% if rows %}{% endif %}", "a list is always there: ask {% if rows.size > 0 %}"),
            ("{% if title == 3 %}{% endif %}", "a text cannot be compared with a number"),
            ("{% if title < \"b\" %}{% endif %}", "a text is compared with == or !="),
            ("{% if count contains 1 %}{% endif %}", "contains asks a text or a list of texts for a text"),
            ("{% if title == nil %}{% endif %}", "'title' is never absent"),
            ("{% if count == empty %}{% endif %}", "a number is never empty"),
            (
                "{% if isAdmin and count > 1 or count < 2 %}{% endif %}",
                "and and or do not mix in one condition: nest two tags instead"
            ),
        ])
    func types(_ body: String, _ message: String) {
        #expect(Views.mistakes(body) == [message])
    }

    @Test(
        "What may be absent is guarded",
        arguments: [
            ("{{ query }}", "'query' may be absent: put it in {% if query %} or give it a | default"),
            (
                "{% if query %}{% else %}{{ query }}{% endif %}",
                "'query' may be absent: put it in {% if query %} or give it a | default"
            ),
            (
                "{% if query or isAdmin %}{{ query }}{% endif %}",
                "'query' may be absent: put it in {% if query %} or give it a | default"
            ),
            ("{{ best.name }}", "'best' may be absent: put 'name' in {% if best %}"),
            ("{% if limit > 3 %}{% endif %}", "'limit' may be absent: write {% if limit and … %}"),
            (
                "{% if query %}{% fragment \"f\" %}{{ query }}{% endfragment %}{% endif %}",
                "'query' may be absent: put it in {% if query %} or give it a | default"
            ),
        ])
    func absent(_ body: String, _ message: String) {
        #expect(Views.mistakes(body) == [message])
    }

    @Test(
        "A guard counts in every form it can be written",
        arguments: [
            "{% if query %}{{ query }}{% endif %}",
            "{% if isAdmin and query %}{{ query }}{% endif %}",
            "{% if query and query contains \"x\" %}{{ query }}{% endif %}",
            "{% unless query %}{% else %}{{ query }}{% endunless %}",
            "{% if query == nil %}{% else %}{{ query }}{% endif %}",
            "{% if query == nil %}{% elsif isAdmin %}{{ query }}{% endif %}",
            "{% if query == nil or isAdmin %}{% else %}{{ query }}{% endif %}",
            "{% if query == \"a\" %}{{ query }}{% endif %}",
            "{% if limit and limit > 3 %}{{ limit }}{% endif %}",
            "{% if best %}{% if best.email %}{{ best.name }}{{ best.email }}{% endif %}{% endif %}",
            "{% for row in rows %}{% if row.email %}{{ row.email }}{% endif %}{% endfor %}",
            "<p{% attr \"title\" = query if query %}></p>",
            "{% if query %}{% if query %}{{ query }}{% endif %}{% endif %}",
        ])
    func guarded(_ body: String) {
        #expect(Views.mistakes(body) == [])
    }

    @Test(
        "Tags are checked",
        arguments: [
            ("{% if isAdmin %}x", "{% if %} has no {% endif %}"),
            ("{% endif %}", "{% endif %} does not belong here: nothing is open"),
            ("{% for tag in tags %}{% endif %}{% endfor %}", "{% endif %} does not belong here: {% for %} is open"),
            ("{% fro x in y %}", "unknown tag 'fro' (did you mean 'for'?)"),
            ("{{ title ", "this {{ has no }}"),
            ("{% if ", "this {% has no %}"),
            ("{{ }}", "something is missing here"),
            ("{% case title %}x{% when \"a\" %}{% endcase %}", "only {% when %} may follow {% case %}"),
            ("{% comment %}", "{% comment %} has no {% endcomment %}"),
            ("{% slot \"a\" %}{% endslot %}", "{% slot %} stands directly inside {% component %}"),
            ("{% icon \"plsu\" %}", "unknown icon 'plsu' (did you mean 'plus'?)"),
            ("<img alt=\"\" src=\"{% asset \"logo.png\" %}\">", "there is no asset 'logo.png'"),
            ("{% attr \"disabled\" %}", "expected if and a condition"),
            ("{% block \"x\" %}{% endblock %}", "a page cannot declare a block of its own"),
            (
                "{% fragment \"a\" %}{% endfragment %}{% fragment \"a\" %}{% endfragment %}",
                "the fragment 'a' is there twice"
            ),
            (
                "{% for tag in tags %}{% fragment \"a\" %}{% endfragment %}{% endfor %}",
                "a fragment stands in a page, outside any loop"
            ),
            ("{% page TestPage %}", "a view belongs to one page"),
            ("{% param x: text %}", "a page has fields, not parameters"),
        ])
    func tags(_ body: String, _ message: String) {
        #expect(Views.mistakes(body) == [message])
    }

    private static let others: [String: String] = [
        "card.html": "{% param title: text %}{% param href: url? %}<p>{{ title }}{% yield %}{% yield \"footer\" %}</p>",
        "plain.html": "{% param row: TestRow %}{{ row.name }}",
        "app.html": "<title>{% block title %}x{% endblock %}</title>{% content %}",
        "a.html": "{% render \"b\" %}",
        "b.html": "<i></i>",
    ]

    @Test(
        "Calls of other views are checked",
        arguments: [
            ("{% render \"crad\" %}", "there is no view 'crad' (did you mean 'card'?)"),
            ("{% render \"card\" %}", "'card' needs the parameter 'title' (text)"),
            (
                "{% render \"card\", title: title, titel: \"x\" %}",
                "'card' has no parameter 'titel' (did you mean 'title'?)"
            ),
            ("{% render \"card\", title: count %}", "'title' takes a text, but this is a number"),
            ("{% render \"card\", title: query %}", "'title' takes a text, but this is an optional text"),
            ("{% render \"card\", title: title, href: title %}", "'href' takes an optional url, but this is a text"),
            ("{% render \"plain\", row: chrome %}", "'row' takes a TestRow, but this is a TestChrome"),
            (
                "{% component \"card\", title: title %}{% slot \"foter\" %}x{% endslot %}{% endcomponent %}",
                "'card' takes no slot 'foter' (did you mean 'footer'?)"
            ),
            (
                "{% for row in rows %}{% component \"plain\", row: row %}x{% endcomponent %}{% endfor %}",
                "'plain' takes no content: it has no {% yield %}"
            ),
            (
                "<p title=\"{% render \"b\" %}\"></p>",
                "a view can be rendered only in text, not inside the attribute title"
            ),
            ("{% render \"test\" %}", "this goes round in a circle: test → test"),
            (
                "{% layout \"app\" %}{% content %}{% block main %}{% endblock %}",
                "a view with a layout holds everything in blocks"
            ),
            (
                "{% layout \"app\" %}{% block main %}{% endblock %}{% block titel %}{% endblock %}",
                "the layout has no block 'titel' (did you mean 'title'?)"
            ),
            ("{% layout \"app\" %}", "this view fills no block 'main' of its layout"),
            (
                "{% layout \"app\" %}{% block main %}<p>{% endblock %}",
                "<p> is not closed in this block"
            ),
            (
                "{% layout \"app\" %}{% block main %}{% endblock %}{% block title %}{{ body }}{% endblock %}",
                "HTML cannot stand in <title>"
            ),
        ])
    func calls(_ body: String, _ message: String) {
        #expect(Views.mistakes(body, Self.others).filter { !$0.contains("is a page") } == [message])
    }

    @Test(
        "Braces inside quotes are refused at their place (^), with a way to write it",
        arguments: [
            ("{% render \"card\", title: title, href: \"/x/^{{ link }}\" %}", "{{", "href: nameOfTheField"),
            ("{% component \"card\", title: '^{{ title }}' %}{% endcomponent %}", "{{", "title: title"),
            ("{% render \"card\", title: \"^{{a}} and {{b}}\" %}", "{{", "title: nameOfTheField"),
            ("{% render \"card\", title: \"a^{% if isAdmin %}b{% endif %}\" %}", "{%", "title: nameOfTheField"),
            ("{{ query | default: \"^{{ title }}\" }}", "{{", "default: nameOfTheField"),
            ("{% if title == \"^{{ link }}\" %}{% endif %}", "{{", "link"),
        ])
    func literals(_ marked: String, _ braces: String, _ way: String) {
        let parts: [String] = marked.split(separator: "^").map(String.init)
        let column: Int = "{% page TestPage %}".count + parts[0].count + 1
        let advice: String = way.contains("nameOf") ? "make the whole text a field in Swift and write" : "write"
        do {
            _ = try Views.load(parts.joined(), Self.others.filter { $0.key == "card.html" })
            Issue.record("the views were accepted")
        } catch let errors as ViewErrors {
            #expect(
                errors.errors.first?.summary
                    == "Views/test.html:1:\(column): \(braces) in quotes is not filled in: \(advice) \(way)")
        } catch {
            Issue.record(error)
        }
    }

    @Test("Braces are no mistake where they are text")
    func braces() {
        let others: [String: String] = Self.others.filter { $0.key == "card.html" }
        #expect(
            Views.mistakes("{% raw %}\"{{ title }}\"{% endraw %}<a href=\"/x/{{ title }}\">{{ title }}</a>", others)
                == [])
        #expect(Views.mistakes("{% render \"card\", title: \"{ x }\" %}<p title='{{ title }}'></p>", others) == [])
    }

    @Test("Parameters are checked where they are declared, and circles are named")
    func declarations() {
        #expect(
            Views.mistakes("", ["x.html": "{% param row: TestRwo %}"]) == [
                "unknown type 'TestRwo' (did you mean 'TestRow'?)"
            ])
        #expect(
            Views.mistakes("", ["x.html": "{% param n: number = \"a\" %}"]) == ["the default of 'n' is not a number"])
        #expect(
            Views.mistakes("", ["x.html": "{% render \"y\" %}", "y.html": "{% render \"x\" %}"])
                == ["this goes round in a circle: x → y → x"])
        #expect(
            Views.mistakes("", ["x.html": "{{ nme }}{% param name: text %}"])
                == ["unknown name 'nme': declare it with {% param %} (did you mean 'name'?)"])
        #expect(
            Views.mistakes("", ["x.html": "{% page Other %}"]) == ["unknown page type 'Other'"])
        #expect(
            Views.mistakes("", ["x.html": "{% page TestPage %}"]) == ["TestPage belongs to another view: this is 'x'"])
    }

    @Test("All mistakes of all files come together, each with its place, its line and a caret")
    func report() {
        do {
            _ = try Views.load("\n<p>é {{ titel }}</p>\n{{ query }}", ["a.html": "<b>"])
            Issue.record("the views were accepted")
        } catch {
            #expect(
                "\(error)" == """
                    Views/a.html:1:1: <b> is not closed
                    <b>
                    ^

                    Views/test.html:2:9: unknown field 'titel' on TestPage (did you mean 'title'?)
                    <p>é {{ titel }}</p>
                            ^

                    Views/test.html:3:4: 'query' may be absent: put it in {% if query %} or give it a | default
                    {{ query }}
                       ^

                    3 mistakes in the views
                    """)
        }
    }

    @Test("A page without its view is named")
    func missing() {
        do {
            _ = try ViewLibrary.load(sources: [:], pages: [TestPage.self], chrome: TestChrome.self, asset: { _ in nil })
            Issue.record("accepted")
        } catch {
            #expect(error.errors.map(\.summary) == ["Views/test.html:1:1: TestPage has no view: this file is missing"])
        }
    }
}
