import Core
import FoundationEssentials
import Postgres

/// Events as columns: one array of each, for `unnest`.
struct EmailEventColumns: Sendable {
    private let ids: [Identifier<EmailEventTag>]
    private let messages: [MessageID]
    private let kinds: [String]
    private let links: [Int?]
    private let urls: [String?]
    let times: [Date]
    private let classes: [String]
    private let reasons: [String]
    private let agents: [String]
    private let networks: [String]
    private let humans: [Bool]

    init(_ events: [EmailEvent]) {
        ids = events.map(\.id)
        messages = events.map(\.engagement.message)
        kinds = events.map(\.engagement.kind.rawValue)
        links = events.map(\.linkNumber)
        urls = events.map(\.url)
        times = events.map(\.engagement.occurredAt)
        classes = events.map(\.engagementClass.kind.rawValue)
        reasons = events.map(\.engagementClass.reason)
        agents = events.map(\.userAgent)
        networks = events.map(\.network)
        humans = events.map(\.engagement.isHuman)
    }

    /// The arrays, in the order of `names`.
    var arrays: SQL {
        """
        \(ids), \(messages), \(kinds), \(links), \(urls), \(times), \(classes), \(reasons), \(agents), \(networks), \(humans)
        """
    }

    /// What each is called for a single event.
    static let names: SQL = """
        id, message_id, kind, link, url, occurred_at, class, class_reason, user_agent, network, human
        """
}
