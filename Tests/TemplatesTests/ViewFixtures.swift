import FoundationEssentials

@testable import Templates

struct TestChrome: ViewRecord {
    var userName = "Ada"
    var timeZone = "Europe/Berlin"
    var now = Date(timeIntervalSince1970: 1_700_000_000)
    var csrfToken = "token"
    var nonce = "nonce"
    var notice: String?

    static let fields = Fields<TestChrome> { f in
        f.text("userName") { $0.userName }
        f.text("timeZone") { $0.timeZone }
        f.date("now") { $0.now }
        f.text("csrfToken") { $0.csrfToken }
        f.text("nonce") { $0.nonce }
        f.optionalText("notice") { $0.notice }
    }
}

struct TestRow: ViewRecord {
    var id = "7"
    var name: String
    var email: String?
    var sent = 12_408
    var rate = 0.0412
    var opened: Date?
    var href = "/contacts/7"
    var children: [TestRow] = []

    static let fields = Fields<TestRow> { f in
        f.text("id") { $0.id }
        f.text("name") { $0.name }
        f.optionalText("email") { $0.email }
        f.number("sent") { $0.sent }
        f.decimal("rate") { $0.rate }
        f.optionalDate("opened") { $0.opened }
        f.link("href") { $0.href }
        f.list("children", of: TestRow.self) { $0.children }
    }
}

struct TestPage: ViewPage {
    var title = "Contacts"
    var query: String?
    var count = 2
    var isAdmin = false
    var made = Date(timeIntervalSince1970: 1_699_990_000)
    var body = SafeHTML(sanitized: "<b>safe</b>")
    var link = "/next"
    var tags: [String] = ["a", "b"]
    var rows: [TestRow] = []
    var best: TestRow?
    var limit: Int?

    static let view = "test"
    static let fields = Fields<TestPage> { f in
        f.text("title") { $0.title }
        f.optionalText("query") { $0.query }
        f.number("count") { $0.count }
        f.flag("isAdmin") { $0.isAdmin }
        f.date("made") { $0.made }
        f.html("body") { $0.body }
        f.link("link") { $0.link }
        f.texts("tags") { $0.tags }
        f.list("rows", of: TestRow.self) { $0.rows }
        f.optionalRecord("best", of: TestRow.self) { $0.best }
        f.optionalNumber("limit") { $0.limit }
    }

    static var previews: [TestPage] { [TestPage(), TestPage(query: "x", rows: [TestRow(name: "Ada")])] }
}

enum Views {
    /// Loads `test.html` with the given body under a page header, and other files beside it.
    static func load(_ body: String, _ others: [String: String] = [:]) throws -> ViewLibrary {
        var sources: [String: String] = others
        sources["test.html"] = "{% page TestPage %}" + body
        return try ViewLibrary.load(
            sources: sources, pages: [TestPage.self], chrome: TestChrome.self, icons: ["plus", "trash"],
            asset: { ["icons.svg": "/assets/icons-1.svg", "css/app.css": "/assets/app-2.css"][$0] })
    }

    static func render(
        _ body: String, _ others: [String: String] = [:], page: TestPage = TestPage(),
        chrome: TestChrome = TestChrome(), fragment: String? = nil
    ) throws -> String {
        String(decoding: try load(body, others).render(page, chrome: chrome, fragment: fragment), as: UTF8.self)
    }

    /// The messages of all mistakes, one a line, without the header's file name.
    static func mistakes(_ body: String, _ others: [String: String] = [:]) -> [String] {
        do {
            _ = try load(body, others)
            return []
        } catch let errors as ViewErrors {
            return errors.errors.map(\.message)
        } catch {
            return ["\(error)"]
        }
    }
}
