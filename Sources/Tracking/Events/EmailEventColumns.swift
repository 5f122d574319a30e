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

    /// What the arrays are called, here and in the backlog.
    static let names: SQL = """
        ids, message_ids, kinds, link_numbers, urls, times, classes, class_reasons, user_agents, networks, humans
        """

    /// One row for each event, selected from a table of arrays. Behind `FROM` they would be copied into a table of their
    /// own first.
    static let events: SQL = """
        unnest(ids) AS id, unnest(message_ids) AS message_id, unnest(kinds) AS kind, unnest(link_numbers) AS link,
        unnest(urls) AS url, unnest(times) AS occurred_at, unnest(classes) AS class,
        unnest(class_reasons) AS class_reason, unnest(user_agents) AS user_agent, unnest(networks) AS network,
        unnest(humans) AS human
        """
}
