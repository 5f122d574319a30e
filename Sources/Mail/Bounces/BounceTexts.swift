/// What servers write when their codes say little or mislead. Texts are compared in lower case.
enum BounceTexts {
    private struct Rule {
        let name: String
        let bounceClass: BounceClass
        /// Only for refusals for good; a temporary "unknown user" is often a lookup that failed.
        let needsPermanent: Bool
        let phrases: [String]
    }

    private static let rules: [Rule] = [
        Rule(
            name: "rate", bounceClass: .soft, needsPermanent: false,
            phrases: ["receiving mail at a rate", "receiving mail too quickly"]),
        Rule(
            name: "no-such-user", bounceClass: .hard, needsPermanent: true,
            phrases: [
                "user unknown", "unknown user", "no such user", "no such recipient", "no such mailbox",
                "user not found",
                "recipient not found", "mailbox not found", "does not exist", "doesn't exist", "no mailbox here",
                "unknown recipient", "recipient unknown", "invalid mailbox", "invalid recipient", "unknown mailbox",
                "address unknown", "unrouteable address", "mailbox unavailable or not local",
                "account has been disabled",
                "account is disabled", "mailbox disabled", "account that you tried to reach is inactive",
                "undeliverable address", "not a known user", "user doesn't have",
            ]),
        Rule(
            name: "full", bounceClass: .soft, needsPermanent: false,
            phrases: [
                "mailbox full", "mailbox is full", "over quota", "overquota", "quota exceeded", "exceeded storage",
                "out of storage", "insufficient storage", "not enough storage", "inbox is full",
            ]),
        Rule(
            name: "blocked", bounceClass: .block, needsPermanent: false,
            phrases: [
                "blocked using", "blocklist", "blacklist", "black list", "block list", "listed by", "spamhaus",
                "spamcop",
                "barracuda", "poor reputation", "bad reputation", "low reputation", "considered spam",
                "detected as spam",
                "looks like spam", "spam message", "message is spam", "message rejected as spam", "spam content",
                "unsolicited", "unauthenticated", "does not pass", "dmarc", "spf check", "dkim",
                "policy reasons", "policy violation", "reverse dns", "ptr record", "too many complaints",
                "unusual rate", "ip address has been", "your ip", "banned",
            ]),
        Rule(
            name: "greylisted", bounceClass: .soft, needsPermanent: false,
            phrases: ["greylist", "graylist", "grey listed", "gray listed"]),
        Rule(
            name: "relay", bounceClass: .config, needsPermanent: true,
            phrases: [
                "relay access denied", "relaying denied", "relay not permitted", "unable to relay",
                "authentication required",
            ]),
    ]

    static func match(_ text: String, enhanced: String?, isTemporary: Bool) -> (BounceClass, rule: String)? {
        // Microsoft's words for an address that its directory does not know.
        if enhanced == "5.4.1", text.contains("recipient address rejected") { return (.hard, "not-in-directory") }
        for rule in rules where !(rule.needsPermanent && isTemporary) {
            if rule.phrases.contains(where: { text.contains($0) }) { return (rule.bounceClass, rule.name) }
        }
        return nil
    }
}
