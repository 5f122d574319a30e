import Core
import FoundationEssentials
import Synchronization

/// Who seems to be behind an open or a click. The raw event is kept beside it, so that history can be classified anew.
package struct EngagementClass: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case human
        /// A mailbox provider fetched the images, whether or not anybody looked.
        case proxyPrefetch = "proxy_prefetch"
        /// A security scanner followed the links.
        case scanner
        case unknown
    }

    package let kind: Kind
    /// The rule that decided, for whoever wants to know why.
    package let reason: String

    package init(kind: Kind, reason: String) {
        self.kind = kind
        self.reason = reason
    }
}

/// The rules that tell people from machines. Evidence, not proof: nothing is thrown away.
package struct EngagementClassifier: Sendable {
    /// What is known of a hit.
    package struct Hit: Sendable {
        package let kind: Engagement.Kind
        package let isHead: Bool
        package let userAgent: String
        package let acceptsLanguage: Bool
        /// Time since the message was put in the ledger: it cannot have been delivered before.
        package let age: TimeInterval
        /// How many different links of the message were followed in the last seconds.
        package let linksInBurst: Int
    }

    /// Words that mail scanners and fetchers put in their names, matched as whole words.
    private static let scannerWords: Set<Substring> = [
        "bot", "crawler", "spider", "scanner", "proofpoint", "mimecast", "barracuda", "symantec", "python", "curl",
        "wget", "java",
        "go", "okhttp", "headlesschrome", "phantomjs", "safelinks", "urldefense", "monitoring", "preview", "slackbot",
    ]

    /// What a program's name tells of it.
    private struct Agent {
        /// The word that gives a scanner away.
        let scannerWord: String?
        let isImageProxy: Bool

        init(_ name: String) {
            scannerWord = name.lowercased().split { !$0.isLetter }.first { scannerWords.contains($0) }.map(String.init)
            isImageProxy = imageProxies.contains { name.contains($0) }
        }
    }

    /// The programs seen lately: they are few, and taking a name apart costs more than all other rules.
    private static let knownAgents = Mutex<[String: Agent]>([:])

    private static func agent(_ name: String) -> Agent {
        if let known = knownAgents.withLock({ $0[name] }) { return known }
        let agent = Agent(name)
        knownAgents.withLock { agents in
            if agents.count >= 1_000 { agents.removeAll() }
            agents[name] = agent
        }
        return agent
    }

    private static let imageProxies: [String] = ["GoogleImageProxy", "YahooMailProxy", "ggpht.com"]

    package static func classify(_ hit: Hit) -> EngagementClass {
        if hit.isHead { return EngagementClass(kind: .scanner, reason: "head_request") }
        let agent: Agent = agent(hit.userAgent)
        if let word = agent.scannerWord {
            return EngagementClass(kind: .scanner, reason: "user_agent_\(word)")
        }
        if hit.linksInBurst > 3 { return EngagementClass(kind: .scanner, reason: "many_links_at_once") }
        if hit.age < 2 {
            return EngagementClass(
                kind: hit.kind == .open ? .proxyPrefetch : .scanner, reason: "before_it_could_be_read")
        }
        if hit.kind == .open {
            if agent.isImageProxy {
                // Gmail's proxy fetches when the message is opened, so this is a person behind a proxy.
                return EngagementClass(kind: .human, reason: "image_proxy_on_open")
            }
            if hit.userAgent == "Mozilla/5.0" {
                return EngagementClass(kind: .proxyPrefetch, reason: "privacy_proxy")
            }
        }
        if hit.userAgent.isEmpty { return EngagementClass(kind: .unknown, reason: "no_user_agent") }
        if hit.kind == .click, !hit.acceptsLanguage { return EngagementClass(kind: .unknown, reason: "no_language") }
        return EngagementClass(kind: .human, reason: "no_sign_of_a_machine")
    }
}
