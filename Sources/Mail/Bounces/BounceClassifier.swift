/// Whose fault a refusal is, and so what is done about it.
package enum BounceClass: String, Sendable, Equatable, Codable, CaseIterable {
    /// The address does not work: suppress it at once.
    case hard
    /// Full, busy or late: try again; suppress after repetition without any success.
    case soft
    /// The receiver objects to the sender or the content: leave the contact alone, slow down, tell the user.
    case block
    /// Our settings or commands are wrong: stop and tell the operator.
    case config
    /// Not understood: counts as soft, kept for review.
    case unknown
}

/// The class of a refusal and the rule that decided it.
package struct BounceVerdict: Sendable, Equatable {
    package let bounceClass: BounceClass
    /// Names the rule; kept with the raw text so that history can be judged again.
    package let rule: String
    /// The refusal is for now (4xx), whatever its class.
    package let isTemporary: Bool
}

/// Judges refusals by their text, then their enhanced code (RFC 3463), then their three digits.
///
/// The first digit alone misleads: most `5.7.x` say that we are blocked, and suppressing those people destroys a good
/// list.
package enum BounceClassifier {
    /// Raised whenever a rule changes.
    package static let version = 1

    /// - Parameters:
    ///   - code: the three-digit reply, or nil when only a report's status is known.
    ///   - enhancedCode: as given; else it is looked for in the text.
    package static func classify(
        code: Int?, enhancedCode: String?, text: String, stage: SMTPStage = .recipient
    ) -> BounceVerdict {
        let enhanced: String? = enhancedCode ?? EnhancedCode.find(in: text)
        let isTemporary: Bool = code.map { $0 / 100 == 4 } ?? (enhanced?.hasPrefix("4.") ?? false)
        func verdict(_ bounceClass: BounceClass, _ rule: String) -> BounceVerdict {
            BounceVerdict(bounceClass: bounceClass, rule: rule, isTemporary: isTemporary)
        }
        let lowered: String = text.lowercased()
        if let (found, rule) = BounceTexts.match(lowered, enhanced: enhanced, isTemporary: isTemporary) {
            // What is said about the sender's own address says nothing about the recipient.
            if stage != .sender || found != .hard { return verdict(found, "text.\(rule)") }
        }
        if stage == .sender || stage == .session {
            if isTemporary { return verdict(.soft, "stage.sender") }
            return verdict(enhanced?.hasPrefix("5.7.") == true ? .block : .config, "stage.sender")
        }
        if let enhanced, let found = byEnhancedCode(enhanced) { return verdict(found, "enhanced.\(enhanced)") }
        if let code, let found = byCode(code, stage: stage) { return verdict(found, "code.\(code)") }
        return verdict(.unknown, "none")
    }

    package static func classify(_ reply: SMTPReply) -> BounceVerdict {
        classify(code: reply.code, enhancedCode: reply.enhancedCode, text: reply.text, stage: reply.stage)
    }

    /// Reads a whole line, such as a report's `Diagnostic-Code`: `smtp; 550 5.1.1 …`.
    package static func classify(line: String) -> BounceVerdict {
        let said: Line = read(line: line)
        return classify(code: said.code, enhancedCode: said.enhancedCode, text: said.text)
    }

    /// A line of a server, taken apart.
    struct Line {
        var code: Int?
        var enhancedCode: String?
        var text: String
    }

    /// The type before a semicolon is left out.
    static func read(line: String) -> Line {
        var rest: Substring = line[...]
        if let semicolon = rest.firstIndex(of: ";"), rest[..<semicolon].allSatisfy({ $0.isLetter || $0 == "-" }) {
            rest = rest[rest.index(after: semicolon)...].drop { $0 == " " }
        }
        var code: Int?
        let digits: Substring = rest.prefix(3)
        if digits.count == 3, let number = Int(digits), (200..<600).contains(number) {
            code = number
            rest = rest.dropFirst(3).drop { $0 == " " || $0 == "-" || $0 == ";" }
        }
        let (enhanced, text) = EnhancedCode.split(String(rest))
        return Line(code: code, enhancedCode: enhanced, text: text)
    }

    private static let hardCodes: Set<String> = [
        "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4", "5.7.17", "5.7.18",
    ]
    private static let softCodes: Set<String> = ["5.2.2", "5.2.3", "5.3.4", "5.4.6", "5.4.7"]
    private static let configCodes: Set<String> = ["5.1.7", "5.1.8", "5.6.7", "5.7.8", "5.7.10", "5.7.11"]

    private static func byEnhancedCode(_ code: String) -> BounceClass? {
        if hardCodes.contains(code) { return .hard }
        if softCodes.contains(code) { return .soft }
        if configCodes.contains(code) { return .config }
        if code.hasPrefix("5.7.") || code.hasPrefix("4.7.") { return .block }
        if code.hasPrefix("5.5.") { return .config }
        if code.hasPrefix("4.") { return .soft }
        return nil
    }

    private static func byCode(_ code: Int, stage: SMTPStage) -> BounceClass? {
        switch code {
        case 421, 450, 451, 452, 454, 455: .soft
        case 500...504, 530, 534, 535, 538, 555: .config
        case 551, 553, 556: stage == .message ? .unknown : .hard
        case 552: .soft
        case 554: stage == .message ? .block : .unknown
        case 400..<500: .soft
        default: .unknown
        }
    }
}
