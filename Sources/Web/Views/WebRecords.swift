import Core
import FoundationEssentials
import Templates

/// What every page shows around its own content.
package struct Chrome: ViewRecord {
    package var userName = ""
    package var userEmail = ""
    package var initials = ""
    package var role = ""
    package var workspaceName = ""
    package var workspaceId = ""
    package var hasOtherWorkspaces = false
    package var timeZone = "UTC"
    package var now = Date(timeIntervalSince1970: 0)
    package var csrfToken = ""
    package var nonce = ""
    package var theme = "system"
    package var notice: String?
    package var alert: String?
    package var navigation: [NavEntry] = []
    package var path = "/"
    package var signedIn = false
    package var canEdit = false
    package var canAdminister = false

    package static let fields = Fields<Chrome> { f in
        f.text("userName") { $0.userName }
        f.text("userEmail") { $0.userEmail }
        f.text("initials") { $0.initials }
        f.text("role") { $0.role }
        f.text("workspaceName") { $0.workspaceName }
        f.text("workspaceId") { $0.workspaceId }
        f.flag("hasOtherWorkspaces") { $0.hasOtherWorkspaces }
        f.text("timeZone") { $0.timeZone }
        f.date("now") { $0.now }
        f.text("csrfToken") { $0.csrfToken }
        f.text("nonce") { $0.nonce }
        f.text("theme") { $0.theme }
        f.optionalText("notice") { $0.notice }
        f.optionalText("alert") { $0.alert }
        f.list("navigation", of: NavEntry.self) { $0.navigation }
        f.text("path") { $0.path }
        f.flag("signedIn") { $0.signedIn }
        f.flag("canEdit") { $0.canEdit }
        f.flag("canAdminister") { $0.canAdminister }
    }
}

extension Chrome {
    /// For previews of pages.
    package static var example: Chrome {
        var chrome = Chrome()
        chrome.userName = "Ana Ruiz"
        chrome.userEmail = "ana@example.com"
        chrome.initials = "AR"
        chrome.role = "owner"
        chrome.workspaceName = "Acme"
        chrome.workspaceId = "01920000-0000-7000-8000-000000000000"
        chrome.hasOtherWorkspaces = true
        chrome.now = Date(timeIntervalSince1970: 1_768_469_400)
        chrome.csrfToken = "example"
        chrome.nonce = "example"
        chrome.signedIn = true
        chrome.canEdit = true
        chrome.canAdminister = true
        chrome.navigation = [NavEntry(title: "Overview", icon: "dashboard", href: "/", current: true)]
        return chrome
    }
}

/// An entry of the main navigation as a page shows it.
package struct NavEntry: ViewRecord {
    package let title: String
    package let icon: String
    package let href: String
    package let current: Bool

    package static let fields = Fields<NavEntry> { f in
        f.text("title") { $0.title }
        f.text("icon") { $0.icon }
        f.link("href") { $0.href }
        f.flag("current") { $0.current }
    }
}

/// An entry of the main navigation as a slice offers it.
package struct NavItem: Sendable {
    package let title: String
    package let icon: String
    package let href: String
    package let minimumRole: Role
    /// Lower numbers stand higher.
    package let order: Int

    package init(title: String, icon: String, href: String, minimumRole: Role = .viewer, order: Int) {
        self.title = title
        self.icon = icon
        self.href = href
        self.minimumRole = minimumRole
        self.order = order
    }
}

/// One input of a form: what stands in it and what is wrong with it.
package struct FormField: ViewRecord {
    package let name: String
    package let value: String
    package let error: String?

    package init(_ name: String, _ value: String = "", _ errors: ValidationErrors = ValidationErrors()) {
        self.name = name
        self.value = value
        self.error = errors[name]
    }

    package static let fields = Fields<FormField> { f in
        f.text("name") { $0.name }
        f.text("value") { $0.value }
        f.optionalText("error") { $0.error }
    }
}

package struct SelectOption: ViewRecord {
    package let value: String
    package let label: String
    package let selected: Bool

    package init(value: String, label: String, selected: Bool = false) {
        self.value = value
        self.label = label
        self.selected = selected
    }

    package static let fields = Fields<SelectOption> { f in
        f.text("value") { $0.value }
        f.text("label") { $0.label }
        f.flag("selected") { $0.selected }
    }
}

/// The way through a long list, with the words that say where one is.
package struct Pager: ViewRecord {
    package let summary: String
    package let previousHref: String?
    package let nextHref: String?

    package init(summary: String, previousHref: String? = nil, nextHref: String? = nil) {
        self.summary = summary
        self.previousHref = previousHref
        self.nextHref = nextHref
    }

    package static let fields = Fields<Pager> { f in
        f.text("summary") { $0.summary }
        f.optionalLink("previousHref") { $0.previousHref }
        f.optionalLink("nextHref") { $0.nextHref }
    }
}

package struct Tab: ViewRecord {
    package let label: String
    package let href: String
    package let current: Bool
    package let count: Int?

    package init(label: String, href: String, current: Bool, count: Int? = nil) {
        self.label = label
        self.href = href
        self.current = current
        self.count = count
    }

    package static let fields = Fields<Tab> { f in
        f.text("label") { $0.label }
        f.link("href") { $0.href }
        f.flag("current") { $0.current }
        f.optionalNumber("count") { $0.count }
    }
}

/// A column head that sorts: `direction` is `ascending` or `descending` on the current column.
package struct SortLink: ViewRecord {
    package let label: String
    package let href: String
    package let direction: String?

    package init(label: String, href: String, direction: String? = nil) {
        self.label = label
        self.href = href
        self.direction = direction
    }

    package static let fields = Fields<SortLink> { f in
        f.text("label") { $0.label }
        f.link("href") { $0.href }
        f.optionalText("direction") { $0.direction }
    }
}

/// One number at the top of a page.
package struct StatTile: ViewRecord {
    package let label: String
    package let value: String
    package let detail: String?
    package let href: String?

    package init(label: String, value: String, detail: String? = nil, href: String? = nil) {
        self.label = label
        self.value = value
        self.detail = detail
        self.href = href
    }

    package static let fields = Fields<StatTile> { f in
        f.text("label") { $0.label }
        f.text("value") { $0.value }
        f.optionalText("detail") { $0.detail }
        f.optionalLink("href") { $0.href }
    }
}

/// A line of the summary above a form that was not accepted; it leads to its field.
package struct ErrorSummaryItem: ViewRecord {
    package let message: String
    package let href: String

    package init(message: String, href: String) {
        self.message = message
        self.href = href
    }

    package static func items(_ errors: ValidationErrors) -> [ErrorSummaryItem] {
        errors.entries.map { ErrorSummaryItem(message: $0.message, href: "#\($0.field)") }
    }

    package static let fields = Fields<ErrorSummaryItem> { f in
        f.text("message") { $0.message }
        f.link("href") { $0.href }
    }
}

/// The page that says what went wrong, or that there is nothing.
package struct ErrorPage: ViewPage {
    package let status: Int
    package let title: String
    package let message: String
    package let requestId: String

    package static let view = "errors/error"

    package static let fields = Fields<ErrorPage> { f in
        f.number("status") { $0.status }
        f.text("title") { $0.title }
        f.text("message") { $0.message }
        f.text("requestId") { $0.requestId }
        f.link("homeHref") { _ in "/" }
    }

    package static var previews: [ErrorPage] {
        [ErrorPage(status: 404, title: "Page not found", message: "There is nothing here.", requestId: "0192a6f4")]
    }
}

/// The same for somebody who is not signed in: no navigation.
package struct PlainErrorPage: ViewPage {
    package let page: ErrorPage

    package static let view = "errors/error-signed-out"

    package static let fields = Fields<PlainErrorPage> { f in
        f.number("status") { $0.page.status }
        f.text("title") { $0.page.title }
        f.text("message") { $0.page.message }
        f.text("requestId") { $0.page.requestId }
        f.link("homeHref") { _ in "/login" }
    }

    package static var previews: [PlainErrorPage] { ErrorPage.previews.map(PlainErrorPage.init) }
}

extension Chrome {
    /// Nobody signed in, nothing around: for letters.
    package static let empty = Chrome()
}

/// The records that components may take as parameters.
package enum WebRecords {
    package static let all: [any ViewRecord.Type] = [
        NavEntry.self, FormField.self, SelectOption.self, Pager.self, Tab.self, SortLink.self, StatTile.self,
        ErrorSummaryItem.self,
    ]
}
