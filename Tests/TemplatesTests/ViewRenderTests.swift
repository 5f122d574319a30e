import FoundationEssentials
import Testing

@testable import Templates

@Suite struct ViewRenderTests {
    @Test(
        "A view writes what it says",
        arguments: [
            ("{{ title }}", "Contacts"),
            ("<p title=\"{{ title }}\">{{ count }}</p>", "<p title=\"Contacts\">2</p>"),
            ("{% if query %}{{ query }}{% else %}none{% endif %}", "none"),
            ("{% unless isAdmin %}user{% endunless %}", "user"),
            ("{% if count == 2 and title == \"Contacts\" %}yes{% endif %}", "yes"),
            ("{% if count > 5 %}many{% elsif count > 1 %}some{% else %}few{% endif %}", "some"),
            ("{% case title %}{% when \"A\", \"Contacts\" %}1{% else %}2{% endcase %}", "1"),
            ("{% for row in rows %}x{% else %}empty{% endfor %}", "empty"),
            (
                "{% for tag in tags %}{{ forloop.index }}{{ tag }}{% unless forloop.last %}, {% endunless %}{% endfor %}",
                "1a, 2b"
            ),
            ("{{ tags | join: \"+\" }} {{ tags.size }} {{ tags | size }}", "a+b 2 2"),
            ("{{ body }}", "<b>safe</b>"),
            ("{{ query | default: \"—\" }}", "—"),
            ("{{ limit | number | default: \"none\" }}", "none"),
            ("{{ made | datetime }}", "14 Nov 2023, 20:26"),
            ("{{ made | date }} {{ made | time }} {{ made | iso }}", "14 Nov 2023 20:26 2023-11-14T19:26:40Z"),
            ("{{ made | relative }}", "3 hours ago"),
            (
                "{{ 12408 | plural: \"contact\", \"contacts\" }}, {{ 1 | plural: \"contact\", \"contacts\" }}",
                "12,408 contacts, 1 contact"
            ),
            ("{{ 0.0412 | percent }} {{ 1234567 | bytes }} {{ 1234.5 | number }}", "4.1\u{202F}% 1.2 MB 1,234.5"),
            ("{{ title | truncate: 4 }} {{ \"Ada Lovelace\" | initials }}", "Con… AL"),
            ("{{ title | upcase | downcase | capitalize }}", "Contacts"),
            ("a {%- comment %} {{ nothing }} {% endcomment -%} b", "ab"),
            ("{% raw %}{{ title }}{% endraw %}", "{{ title }}"),
            (
                "<form method=\"post\" action=\"/x\">{% csrf %}</form>",
                "<form method=\"post\" action=\"/x\"><input type=\"hidden\" name=\"_csrf\" value=\"token\"></form>"
            ),
            (
                "{% icon \"plus\" %}",
                "<svg class=\"icon\" aria-hidden=\"true\"><use href=\"/assets/icons-1.svg#plus\"></use></svg>"
            ),
            (
                "<link rel=\"stylesheet\" href=\"{% asset \"css/app.css\" %}\">",
                "<link rel=\"stylesheet\" href=\"/assets/app-2.css\">"
            ),
            (
                "<button type=\"submit\"{% attr \"disabled\" if count == 2 %}>x</button>",
                "<button type=\"submit\" disabled=\"\">x</button>"
            ),
            ("<a href=\"/a\"{% attr \"aria-current\" = \"page\" if isAdmin %}>x</a>", "<a href=\"/a\">x</a>"),
            (
                "<a href=\"/a?q={{ title }}&amp;b={{ tags | join: \"&\" }}\">x</a>",
                "<a href=\"/a?q=Contacts&amp;b=a%26b\">x</a>"
            ),
            (
                "<a href=\"/a?on={{ made | date }}&amp;at={{ made | time }}\">x</a>",
                "<a href=\"/a?on=14%20Nov%202023&amp;at=20%3A26\">x</a>"
            ),
            ("<p>a  b</p> \n   <p>\n\n  {{ count }} </p>\n    ", "<p>a  b</p>\n<p>\n2 </p>\n"),
            (
                "<pre>a\n   b {{ title }}\n  c</pre>\n  <textarea aria-label=\"d\">\n   d\n  e</textarea>",
                "<pre>a\n   b Contacts\n  c</pre>\n<textarea aria-label=\"d\">\n   d\n  e</textarea>"
            ),
            ("<a href=\"{{ link }}\">x</a>", "<a href=\"/next\">x</a>"),
            (
                "<script type=\"application/json\" nonce=\"{% nonce %}\">{{ tags | json }}</script>",
                "<script type=\"application/json\" nonce=\"nonce\">[\"a\",\"b\"]</script>"
            ),
            ("{{ chrome.userName }}{% if chrome.notice %}{{ chrome.notice }}{% endif %}", "Ada"),
            ("{% if best %}{{ best.name }}{% if best.email %}{{ best.email }}{% endif %}{% endif %}", ""),
            ("{% if query == nil %}-{% else %}{{ query }}{% endif %}", "-"),
            ("{% if tags contains \"b\" %}b{% endif %}{% if rows == empty %}e{% endif %}", "be"),
        ])
    func writes(_ body: String, _ expected: String) throws {
        #expect(try Views.render(body) == expected)
    }

    @Test("Loops read the fields of their rows, and rows may hold rows")
    func rows() throws {
        let page = TestPage(rows: [
            TestRow(name: "Ada <1>", email: "a@x.org", children: [TestRow(name: "Kid")]), TestRow(name: "Bob"),
        ])
        let body = """
            {% for row in rows %}<p id="r{{ row.id }}-{{ forloop.index0 }}">{{ row.name }}{% if row.email %} {{ row.email }}\
            {% endif %}{% for child in row.children %}[{{ child.name }} of {{ row.name }}]{% endfor %}</p>{% endfor %}
            """
        #expect(
            try Views.render(body, page: page)
                == "<p id=\"r7-0\">Ada &lt;1&gt; a@x.org[Kid of Ada &lt;1&gt;]</p><p id=\"r7-1\">Bob</p>")
    }

    @Test("A layout's blocks are filled, nested layouts included")
    func layouts() throws {
        let others = [
            "base.html":
                "<title>{% block title %}None{% endblock %}</title><body class=\"{% block class %}{% endblock %}\">{% block main %}{% endblock %}</body>",
            "app.html":
                "{% param section: text = \"x\" %}{% layout \"base\" %}{% block main %}<main id=\"{{ section }}\">{% content %}</main>{% endblock %}",
        ]
        let body =
            "{% layout \"app\", section: \"contacts\" %}\n{% block title %}{{ title }}{% endblock %}\n{% block main %}Hi{% endblock %}"
        #expect(
            try Views.render(body, others)
                == "<title>Contacts</title><body class=\"\"><main id=\"contacts\">Hi</main></body>")
    }

    @Test("Components take parameters and slots")
    func components() throws {
        let others = [
            "card.html": """
            {% param title: text %}{% param kind: text = "plain" %}{% param href: url? %}\
            <div class="card-{{ kind }}">{% if href %}<a href="{{ href }}">{{ title }}</a>{% else %}{{ title }}{% endif %}\
            {% yield %}{% if slot.footer %}<footer>{% yield "footer" %}</footer>{% endif %}</div>
            """,
            "row.html": "{% param row: TestRow %}<i>{{ row.name }}</i>",
        ]
        let body = """
            {% component "card", title: title, kind: "big" %}in {{ count }}{% slot "footer" %}F{% endslot %}{% endcomponent %}\
            {% render "card", title: "b", href: link %}{% for row in rows %}{% render "row", row: row %}{% endfor %}
            """
        #expect(
            try Views.render(body, others, page: TestPage(rows: [TestRow(name: "Ada")]))
                == "<div class=\"card-big\">Contactsin 2<footer>F</footer></div><div class=\"card-plain\"><a href=\"/next\">b</a></div><i>Ada</i>"
        )
    }

    @Test("A fragment is rendered alone")
    func fragments() throws {
        let body = "<h1>{{ title }}</h1>{% fragment \"table\" %}<b>{{ count }}</b>{% endfragment %}"
        #expect(try Views.render(body, fragment: "table") == "<b>2</b>")
        #expect(try Views.render(body) == "<h1>Contacts</h1><b>2</b>")
        #expect(throws: ViewRenderError.unknownFragment("no", view: "test")) { try Views.render(body, fragment: "no") }
    }

    @Test("Text files are not escaped")
    func text() throws {
        let library = try Views.load("{{ title }}", ["test.txt": "{% page TestPage %}Hi {{ title }}"])
        #expect(try library.renderText(TestPage(title: "A & B"), chrome: TestChrome()) == "Hi A & B")
    }

    @Test("All previews render")
    func previews() throws {
        let library = try Views.load("{{ title }}{% for row in rows %}{{ row.name }}{% endfor %}")
        for page in TestPage.previews { #expect(try !library.render(page, chrome: TestChrome()).isEmpty) }
    }
}
