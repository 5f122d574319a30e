import FoundationEssentials
import Testing

@testable import Tracking

@Suite("Telling people from machines")
struct EngagementClassifierTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let hit: EngagementClassifier.Hit
        let expected: EngagementClass.Kind
    }

    private static func hit(
        _ kind: Engagement.Kind, head: Bool = false, agent: String = "Mozilla/5.0 (Macintosh) Safari/605.1.15",
        language: Bool = true, age: TimeInterval = 600, links: Int = 1
    ) -> EngagementClassifier.Hit {
        .init(
            kind: kind, isHead: head, userAgent: agent, acceptsLanguage: language, age: age, linksInBurst: links)
    }

    static let cases: [Case] = [
        Case(testDescription: "a browser, minutes later", hit: hit(.click), expected: .human),
        Case(testDescription: "HEAD", hit: hit(.click, head: true), expected: .scanner),
        Case(testDescription: "a click within a second of sending", hit: hit(.click, age: 1), expected: .scanner),
        Case(testDescription: "an open within a second of sending", hit: hit(.open, age: 1), expected: .proxyPrefetch),
        Case(testDescription: "four links at once", hit: hit(.click, links: 4), expected: .scanner),
        Case(testDescription: "a bot by name", hit: hit(.click, agent: "SomeBot/1.0 (bot)"), expected: .scanner),
        Case(
            testDescription: "a word that only contains a scanner’s name",
            hit: hit(.click, agent: "Mozilla/5.0 (Robotnik) Katpower"), expected: .human),
        Case(
            testDescription: "Gmail’s image proxy",
            hit: hit(.open, agent: "Mozilla/5.0 (via ggpht.com GoogleImageProxy)"), expected: .human),
        Case(testDescription: "Apple’s privacy proxy", hit: hit(.open, agent: "Mozilla/5.0"), expected: .proxyPrefetch),
        Case(testDescription: "no user agent", hit: hit(.open, agent: ""), expected: .unknown),
        Case(testDescription: "a click without a language", hit: hit(.click, language: false), expected: .unknown),
    ]

    @Test("Each sign of a machine is seen, and people are left alone", arguments: cases)
    func classifies(_ example: Case) {
        #expect(EngagementClassifier.classify(example.hit).kind == example.expected)
    }

    @Test(
        "Addresses are shortened to their network",
        arguments: [
            ("203.0.113.77", "203.0.113.0/24"), ("2001:db8:1:2:3::4", "2001:db8:1::/48"), ("", ""),
        ])
    func shortens(address: String, network: String) {
        #expect(NetworkPrefix.of(address) == network)
    }
}
