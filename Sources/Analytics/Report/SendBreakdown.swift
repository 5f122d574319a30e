import Core
import FoundationEssentials
import Messaging
import Postgres

/// Messages of a send that have the same state, reason and quarters of an hour.
struct BreakdownRow: PostgresRow, Sendable {
    static let columns: SQL = """
        state, reason, date_bin('15 minutes', sent_at, 'epoch'), date_bin('15 minutes', opened_at, 'epoch'),
        date_bin('15 minutes', clicked_at, 'epoch'), count(*), sum(open_count), sum(click_count),
        count(*) FILTER (WHERE open_count > 0), count(*) FILTER (WHERE click_count > 0)
        """
    let state: String
    let reason: String?
    let sentAt: Date?
    let openedAt: Date?
    let clickedAt: Date?
    let messages: Int
    let opens: Int
    let clicks: Int
    let anyOpened: Int
    let anyClicked: Int

    init(row: inout RowReader) throws {
        state = try row.next()
        reason = try row.next()
        sentAt = try row.next()
        openedAt = try row.next()
        clickedAt = try row.next()
        messages = try row.next()
        opens = try row.next()
        clicks = try row.next()
        anyOpened = try row.next()
        anyClicked = try row.next()
    }

    init(
        state: String, reason: String? = nil, sentAt: Date? = nil, openedAt: Date? = nil, clickedAt: Date? = nil,
        messages: Int, opens: Int = 0, clicks: Int = 0, anyOpened: Int = 0, anyClicked: Int = 0
    ) {
        self.state = state
        self.reason = reason
        self.sentAt = sentAt
        self.openedAt = openedAt
        self.clickedAt = clickedAt
        self.messages = messages
        self.opens = opens
        self.clicks = clicks
        self.anyOpened = anyOpened
        self.anyClicked = anyClicked
    }

    /// One pass over the ledger of a send. Quarters of an hour, because the hours of every time zone are made of them.
    static func statement(_ send: SendID, workspace: WorkspaceID) -> SQL {
        """
        SELECT \(BreakdownRow.columns) FROM marketing_messages
        WHERE workspace_id = \(workspace) AND send_id = \(send) GROUP BY 1, 2, 3, 4, 5
        """
    }
}

/// What the ledger of one send adds up to.
struct SendBreakdown: Sendable, Equatable {
    struct Reason: Sendable, Equatable {
        let state: MessageState
        /// The stored word; nil when none was written.
        let reason: String?
        let count: Int

        var label: String {
            guard let reason else { return state.label }
            return MessageReason(rawValue: reason)?.label ?? reason
        }
    }

    /// Something that happened at many moments: how often in each quarter of an hour.
    typealias Moments = [Date: Int]

    private(set) var states: [MessageState: Int] = [:]
    /// Why messages were left out, refused or lost, the most frequent first.
    private(set) var reasons: [Reason] = []
    private(set) var sent: Moments = [:]
    /// First opens and first clicks of people.
    private(set) var opened: Moments = [:]
    private(set) var clicked: Moments = [:]
    /// Every request for the picture or a link, machines included.
    private(set) var totalOpens: Int = 0
    private(set) var totalClicks: Int = 0
    /// Messages that anything opened or clicked, machines included.
    private(set) var anyOpened: Int = 0
    private(set) var anyClicked: Int = 0

    static let none = SendBreakdown([])

    init(_ rows: [BreakdownRow]) {
        var counts: [MessageState: [String?: Int]] = [:]
        for row in rows {
            let state: MessageState = MessageState(rawValue: row.state) ?? .failed
            states[state, default: 0] += row.messages
            if let at = row.sentAt { sent[at, default: 0] += row.messages }
            if let at = row.openedAt { opened[at, default: 0] += row.messages }
            if let at = row.clickedAt { clicked[at, default: 0] += row.messages }
            totalOpens += row.opens
            totalClicks += row.clicks
            anyOpened += row.anyOpened
            anyClicked += row.anyClicked
            counts[state, default: [:]][row.reason, default: 0] += row.messages
        }
        let explained: Set<MessageState> = [.skipped, .failed, .bounced, .uncertain, .retry, .cancelled]
        for (state, byReason) in counts where explained.contains(state) {
            for (reason, count) in byReason { reasons.append(Reason(state: state, reason: reason, count: count)) }
        }
        reasons.sort { ($1.count, $0.state.rawValue, $0.reason ?? "") < ($0.count, $1.state.rawValue, $1.reason ?? "") }
    }

    /// The first and the last moment of anything.
    var span: (first: Date, last: Date)? {
        let moments: [Date] = Array(sent.keys) + Array(opened.keys) + Array(clicked.keys)
        guard let first = moments.min(), let last = moments.max() else { return nil }
        return (first, last)
    }

    /// Messages that came back after the mail server had taken them.
    var lateBounces: Int { states[.bounced] ?? 0 }
}
