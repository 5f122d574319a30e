import Campaigns
import Core
import FoundationEssentials
import Messaging
import Templates
import Web

struct MessageRecord: ViewRecord {
    let row: MessageRow

    static let fields = Fields<MessageRecord> { f in
        f.link("href") { "/messages/\($0.row.id)" }
        f.link("contactHref") { "/contacts/\($0.row.contact)" }
        f.text("title") { $0.row.title }
        f.text("email") { $0.row.name == nil ? "" : $0.row.email ?? "No e-mail address" }
        f.text("state") { $0.row.state.label }
        f.text("tone") { MessageTone.of($0.row.state) }
        f.optionalText("reason") { $0.row.reasonLabel }
        f.optionalText("response") { $0.row.response }
        f.optionalDate("sentAt") { $0.row.sentAt }
        f.optionalDate("openedAt") { $0.row.openedAt }
        f.optionalDate("clickedAt") { $0.row.clickedAt }
        f.optionalDate("unsubscribedAt") { $0.row.unsubscribedAt }
        f.optionalDate("nextAttemptAt") { $0.row.state == .retry ? $0.row.nextAttemptAt : nil }
    }
}

struct FilterChip: ViewRecord {
    let label: String
    let removeHref: String

    static let fields = Fields<FilterChip> { f in
        f.text("label") { $0.label }
        f.link("removeHref") { $0.removeHref }
    }
}

/// Who was written to, with what outcome: one line for each person of a campaign.
struct MessageLogPage: ViewPage {
    let totals: CampaignTotals
    let rows: [MessageRow]
    let filter: MessageFilter
    let isFirst: Bool
    let next: String?

    static let view = "analytics/messages"

    static let fields = Fields<MessageLogPage> { f in
        f.text("id") { $0.id }
        f.text("name") { $0.totals.name }
        f.text("subject") { $0.totals.subject }
        f.text("status") { $0.totals.statusLabel }
        f.text("tone") { $0.totals.statusTone }
        f.list("tabs", of: Tab.self) { CampaignTabs.all($0.totals.id, hasSend: true, current: .messages) }
        f.link("action") { $0.base }
        f.text("query") { $0.filter.search ?? "" }
        f.list("states", of: SelectOption.self) { $0.states }
        f.list("reasons", of: SelectOption.self) { $0.reasons }
        f.list("actions", of: SelectOption.self) { $0.actions }
        f.list("chips", of: FilterChip.self) { $0.chips }
        f.list("rows", of: MessageRecord.self) { $0.rows.map { MessageRecord(row: $0) } }
        f.record("pager", of: Pager.self) { $0.pager }
        f.link("exportHref") { "\($0.base).csv" + PercentEncoding.query(Self.pairs($0.filter)) }
        f.flag("isFiltered") { !$0.filter.isEmpty }
    }

    private var id: String { totals.id.description }
    private var base: String { "/campaigns/\(id)/messages" }

    /// A filter as it stands in the address.
    static func pairs(_ filter: MessageFilter) -> [(String, String?)] {
        [
            ("state", filter.state?.rawValue), ("reason", filter.reason?.rawValue), ("did", filter.action?.rawValue),
            ("q", filter.search),
        ]
    }

    private var states: [SelectOption] {
        let shown: [MessageState] = [.pending, .retry, .sent, .failed, .bounced, .uncertain, .skipped, .cancelled]
        return [SelectOption(value: "", label: "Any state")]
            + shown.map { SelectOption(value: $0.rawValue, label: $0.label, selected: $0 == filter.state) }
    }

    private var reasons: [SelectOption] {
        [SelectOption(value: "", label: "Any reason")]
            + MessageReason.allCases.map {
                SelectOption(value: $0.rawValue, label: $0.label, selected: $0 == filter.reason)
            }
    }

    private var actions: [SelectOption] {
        [SelectOption(value: "", label: "Any action")]
            + MessageFilter.Action.allCases.map {
                SelectOption(value: $0.rawValue, label: $0.label, selected: $0 == filter.action)
            }
    }

    private var chips: [FilterChip] {
        func without(_ change: (inout MessageFilter) -> Void) -> String {
            var rest: MessageFilter = filter
            change(&rest)
            return base + PercentEncoding.query(Self.pairs(rest))
        }
        var chips: [FilterChip] = []
        if let state = filter.state {
            chips.append(FilterChip(label: "State: \(state.label)", removeHref: without { $0.state = nil }))
        }
        if let reason = filter.reason {
            chips.append(FilterChip(label: "Reason: \(reason.label)", removeHref: without { $0.reason = nil }))
        }
        if let action = filter.action {
            chips.append(FilterChip(label: action.label, removeHref: without { $0.action = nil }))
        }
        if let search = filter.search {
            chips.append(FilterChip(label: "E-mail contains “\(search)”", removeHref: without { $0.search = nil }))
        }
        return chips
    }

    private var pager: Pager {
        let first: String? = isFirst ? nil : base + PercentEncoding.query(Self.pairs(filter))
        return Pager(
            summary: NumberWords.counted(rows.count, "person on this page", "people on this page"),
            previousHref: first,
            nextHref: next.map { base + PercentEncoding.query(Self.pairs(filter) + [("cursor", $0)]) })
    }
}
