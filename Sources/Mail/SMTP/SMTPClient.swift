import Core

/// Hands messages to an SMTP server over a connection that is kept between them. Blocking: it belongs to one thread.
///
/// Where the server allows it (RFC 2920), a message costs one round trip: its content travels together with the envelope
/// of the next one, which RFC 2920 §3.1 names as the use of pipelining.
final class SMTPClient {
    private let settings: SMTPSettings
    private let flaw: String?
    private var transcript: SMTPTranscript?
    private var connection: SMTPConnection?
    /// The message whose envelope the server already has.
    private var announced: SMTPEnvelope?
    /// Whether the server still holds the beginning of a transaction that it refused.
    private var needsReset = false
    /// Off after a server that says it can read ahead did not.
    private var announcesNext = true
    private var output: [UInt8] = []

    init(settings: SMTPSettings) {
        self.settings = settings
        do {
            try settings.validate()
            flaw = nil
        } catch {
            flaw = error.entries.map(\.message).joined(separator: " ")
        }
    }

    deinit {
        quit()
    }

    /// Shows every line of the dialogue to a transcript, for a test send.
    func record(into transcript: SMTPTranscript) {
        self.transcript = transcript
    }

    /// Hands over one message and waits for the server's answer.
    ///
    /// A kept connection that turns out to be closed, or on which the server takes no further message for now, before
    /// anything of this message was taken, is replaced once.
    /// - Parameter next: the message that will follow on this connection, if that is certain enough to announce it.
    func deliver(
        _ envelope: SMTPEnvelope, message: UnsafeRawBufferPointer, next: SMTPEnvelope? = nil
    ) -> SMTPOutcome {
        if let flaw { return .configuration(reason: flaw) }
        guard envelope.hasSafeSender else {
            return .configuration(reason: "The sender's address is not valid.")
        }
        guard envelope.hasSafeRecipient else {
            let reply = SMTPReply(
                stage: .recipient, code: 553, enhancedCode: "5.1.3", text: "The recipient's address is not valid.")
            return .rejected(reply)
        }
        let wasKept: Bool = connection != nil
        let first: SMTPOutcome = attempt(envelope, message, next: next)
        guard wasKept, Self.mayFareBetterAnew(first) else { return first }
        drop()
        return attempt(envelope, message, next: next)
    }

    /// Servers answer MAIL with 4xx when a session has brought as many messages as they allow (452 4.5.3).
    private static func mayFareBetterAnew(_ outcome: SMTPOutcome) -> Bool {
        switch outcome {
        case .unavailable: true
        case .deferred(let reply): reply.stage == .sender
        default: false
        }
    }

    // MARK: One transaction

    private func attempt(
        _ envelope: SMTPEnvelope, _ message: UnsafeRawBufferPointer, next: SMTPEnvelope?
    ) -> SMTPOutcome {
        if announced != nil, announced != envelope { drop() }
        let line: SMTPConnection
        switch connected() {
        case .success(let opened): line = opened
        case .failure(let failure): return failure.outcome
        }
        do {
            if let refusal = try begin(envelope, on: line) { return concluded(refusal) }
        } catch {
            if case .timedOut = error { announcesNext = false }
            drop()
            return .unavailable(
                reason: "The connection broke before the message was handed over: \(error.problem).")
        }
        return handOver(message, next: next, on: line)
    }

    /// Envelope and DATA, or the answers to them if the server has them already. Nil when it waits for the message,
    /// otherwise its refusal.
    private func begin(_ envelope: SMTPEnvelope, on line: SMTPConnection) throws(SMTPConnection.Break) -> SMTPReply? {
        let isAnnounced: Bool = announced != nil
        announced = nil
        if !isAnnounced, needsReset {
            needsReset = false
            try say(SMTPCommands.reset, on: line)
            _ = try reply(.session, on: line)
        }
        guard line.capabilities.pipelining else { return try beginStepByStep(envelope, on: line) }
        if !isAnnounced {
            output.removeAll(keepingCapacity: true)
            announce(envelope, on: line)
            try say(output, on: line)
        }
        let toMail: SMTPReply = try reply(.sender, on: line)
        guard toMail.code != 421 else { return toMail }
        let toRecipient: SMTPReply = try reply(.recipient, on: line)
        guard toRecipient.code != 421 else { return toMail.isPositive ? toRecipient : toMail }
        let toData: SMTPReply = try reply(.data, on: line)
        let refusal: SMTPReply? = [toMail, toRecipient].first { !$0.isPositive } ?? (toData.code == 354 ? nil : toData)
        if refusal != nil {
            needsReset = true
            // Some servers answer DATA with 354 although nobody is to get the message (RFC 2920 §3.1).
            if toData.code == 354 {
                try say(SMTPCommands.lonelyDot, on: line)
                _ = try reply(.message, on: line)
            }
        }
        return refusal
    }

    private func beginStepByStep(
        _ envelope: SMTPEnvelope, on line: SMTPConnection
    ) throws(SMTPConnection.Break) -> SMTPReply? {
        output.removeAll(keepingCapacity: true)
        SMTPCommands.appendMail(envelope, withSize: line.capabilities.size, to: &output)
        try say(output, on: line)
        let toMail: SMTPReply = try reply(.sender, on: line)
        guard toMail.isPositive else { return toMail }
        needsReset = true
        output.removeAll(keepingCapacity: true)
        SMTPCommands.appendRecipient(envelope, to: &output)
        try say(output, on: line)
        let toRecipient: SMTPReply = try reply(.recipient, on: line)
        guard toRecipient.isPositive else { return toRecipient }
        try say(SMTPCommands.data, on: line)
        let toData: SMTPReply = try reply(.data, on: line)
        guard toData.code == 354 else { return toData }
        needsReset = false
        return nil
    }

    /// The message itself, and its answer.
    private func handOver(
        _ message: UnsafeRawBufferPointer, next: SMTPEnvelope?, on line: SMTPConnection
    ) -> SMTPOutcome {
        output.removeAll(keepingCapacity: true)
        SMTPCommands.appendMessage(message, to: &output)
        let end: Int = output.count
        let following: SMTPEnvelope? = next.flatMap { mayAnnounce($0, on: line) ? $0 : nil }
        // Behind TLS a broken write does not tell which of its records arrived. So the dot is the end of a write of its
        // own there: while that is not done, the server cannot have the whole message.
        let announcesApart: Bool = settings.encryption != .none
        if let following, !announcesApart { announce(following, on: line) }
        var taken = 0
        do {
            try line.send(output, taken: &taken)
            if let following, announcesApart {
                output.removeAll(keepingCapacity: true)
                announce(following, on: line)
                try say(output, on: line)
            }
            let answer: SMTPReply = try reply(.message, on: line)
            guard answer.isPositive || answer.code >= 400 else { throw SMTPConnection.Break.nonsense }
            announced = following
            return concluded(answer)
        } catch {
            defer { drop() }
            // A server that had enough may have said why before it hung up.
            if taken < end, let answer = lastWords(on: line), answer.code >= 400 { return concluded(answer) }
            let problem: String = (error as? SMTPConnection.Break ?? .closed).problem
            guard taken >= end else {
                return .unavailable(reason: "The connection broke before the message was handed over: \(problem).")
            }
            return .uncertain(reason: "The message was sent, but no answer came: \(problem).")
        }
    }

    private func lastWords(on line: SMTPConnection) -> SMTPReply? {
        do {
            return try reply(.message, on: line)
        } catch {
            return nil
        }
    }

    private func concluded(_ reply: SMTPReply) -> SMTPOutcome {
        // 421: the server closes the connection.
        if reply.code == 421 { drop() }
        switch reply.code {
        case 530, 534, 535, 538: return .configuration(reason: "The server wants a sign-in: \(reply.line)")
        case 200..<300: return .accepted(reply)
        case 400..<500: return .deferred(reply)
        default: return .rejected(reply)
        }
    }

    private func mayAnnounce(_ next: SMTPEnvelope, on line: SMTPConnection) -> Bool {
        announcesNext && line.capabilities.pipelining && next.hasSafeSender && next.hasSafeRecipient
    }

    private func announce(_ envelope: SMTPEnvelope, on line: SMTPConnection) {
        SMTPCommands.appendMail(envelope, withSize: line.capabilities.size, to: &output)
        SMTPCommands.appendRecipient(envelope, to: &output)
        output += SMTPCommands.data
    }

    // MARK: The connection

    private struct NoConnection: Error {
        let outcome: SMTPOutcome
    }

    private func connected() -> Result<SMTPConnection, NoConnection> {
        if let connection { return .success(connection) }
        needsReset = false
        announced = nil
        guard let fresh = SMTPConnection(settings: settings, transcript: transcript) else {
            return .failure(NoConnection(outcome: .configuration(reason: "The mail library could not be started.")))
        }
        if let failure = fresh.open() { return .failure(NoConnection(outcome: failure)) }
        connection = fresh
        return .success(fresh)
    }

    private func drop() {
        connection = nil
        announced = nil
        needsReset = false
    }

    private func quit() {
        guard let connection, announced == nil else { return }
        var taken = 0
        // A courtesy: whether it arrives makes no difference to any message.
        try? connection.send(SMTPCommands.quit, taken: &taken)
    }

    private func say(_ bytes: [UInt8], on line: SMTPConnection) throws(SMTPConnection.Break) {
        transcript?.note(.client, bytes)
        var taken = 0
        try line.send(bytes, taken: &taken)
    }

    private func reply(_ stage: SMTPStage, on line: SMTPConnection) throws(SMTPConnection.Break) -> SMTPReply {
        let bytes: [UInt8] = try line.nextReply()
        transcript?.note(.server, bytes)
        return SMTPReply(stage: stage, lines: bytes)
    }
}
