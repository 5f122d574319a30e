import HTTPTransport
import Markup
import Messaging

/// A link of a letter with what its server said.
struct LinkFinding: Sendable, Equatable {
    let url: String
    /// What the reader clicks on.
    let label: String
    /// Nil while nobody has asked.
    let answer: LinkProbe.Answer?

    enum Verdict: Sendable { case works, dead, unclear }

    /// Servers that turn programs away say nothing about people: such answers are unclear, not dead.
    var verdict: Verdict {
        switch answer {
        case .status(let status) where status < 400: .works
        case .status(401), .status(403), .status(407), .status(408), .status(425), .status(429), .status(451),
            .status(999):
            .unclear
        case .status: .dead
        case .failed(.invalidURL), .failed(.invalidHeader), .failed(.cancelled), .failed(.stopped), .failed(.tooLarge):
            .unclear
        case .failed: .dead
        case .notAsked, nil: .unclear
        }
    }

    var words: String {
        switch answer {
        case .status(let status) where status < 400: "This link works"
        case .status(let status) where verdict == .unclear:
            "This link answered \(Self.named(status)). It may still work in a browser"
        case .status(let status): "This link answered \(Self.named(status))"
        case .failed(.blockedAddress): "This link leads into a private network, where readers cannot go"
        case .failed(.unreachable(let host)): "There is no answer from \(host)"
        case .failed(.timedOut): "This link did not answer within 3 seconds"
        case .failed(.untrustedCertificate): "The certificate of this link is not valid: browsers will warn"
        case .failed(.tooManyRedirects): "This link leads from one address to the next without end"
        case .failed(.broken): "The connection to this link broke"
        case .failed, .notAsked, nil: "This link could not be checked"
        }
    }

    private static func named(_ status: Int) -> String {
        let names: [Int: String] = [
            400: "Bad request", 401: "Sign-in needed", 403: "Forbidden", 404: "Not found", 408: "Request timeout",
            410: "Gone", 429: "Too many requests", 451: "Unavailable for legal reasons", 500: "Internal server error",
            502: "Bad gateway", 503: "Service unavailable", 504: "Gateway timeout",
        ]
        return names[status].map { "\(status) \($0)" } ?? String(status)
    }
}

/// The links of a letter that can be asked, with what is known of them.
struct LinkReport: Sendable, Equatable {
    /// More links than anybody writes by hand; the rest is not asked.
    static let limit = 60

    let findings: [LinkFinding]

    /// - Parameter answers: by address; a missing one means that nobody has asked.
    init(_ links: [(url: String, label: String)], answers: [String: LinkProbe.Answer]) {
        findings = links.map { LinkFinding(url: $0.url, label: $0.label, answer: answers[$0.url]) }
    }

    var isAsked: Bool { findings.allSatisfy { $0.answer != nil } }
    var dead: [LinkFinding] { findings.filter { $0.verdict == .dead } }

    /// Each http(s) link once. Personalised ones lead everywhere, and broken ones are found without asking.
    static func links(of content: CampaignContent) -> [(url: String, label: String)] {
        let discovered: LinkDiscovery
        do {
            discovered = try LinkDiscovery.discover(
                content.bodyMode == .markdown ? try Markdown.toHTML(content.html) : content.html)
        } catch {
            // What keeps the text from being read is among the other checks.
            return []
        }
        var seen: Set<String> = []
        var links: [(url: String, label: String)] = []
        for link in discovered.links where link.kind == .http && links.count < limit {
            let isPersonal: Bool = link.href.contains("{{") || link.href.contains("{%")
            guard !isPersonal, LinkSafety.isFollowable(link.href), seen.insert(link.href).inserted else { continue }
            links.append((link.href, link.text.isEmpty ? "A link without text" : String(link.text.prefix(80))))
        }
        return links
    }
}
