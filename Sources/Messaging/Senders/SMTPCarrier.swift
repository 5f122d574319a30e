import Core
import FoundationEssentials
import Mail
import Postgres
import Synchronization

/// Sends through an SMTP server, on connections that are kept open.
final class SMTPCarrier: MessageCarrier {
    let lanes: Int
    let isExternal = true
    private let pool: SMTPPool

    init(_ sender: Sender, helloName: String) throws {
        let settings: SMTPSettings = try sender.connection(helloName: helloName)
        lanes = sender.settings.smtp.connections
        pool = SMTPPool(settings: settings, connections: lanes)
    }

    deinit {
        pool.stop()
    }

    func deliver(_ messages: OutgoingMessages, watch: any HandoverWatch) async -> [HandoverOutcome] {
        let handed = HandedOutcomes()
        let ids: [MessageID] = messages.ids
        let hooks = SMTPPool.Hooks(
            shouldSend: { index in watch.mayBegin(ids[index]) },
            didSend: { index, outcome in
                let verdict: HandoverOutcome = SMTPVerdict.outcome(of: outcome)
                handed.append(verdict)
                watch.ended(ids[index], verdict)
            })
        _ = await pool.deliver(messages.batch, hooks: hooks)
        let begun: [HandoverOutcome] = handed.all
        return begun + Array(repeating: .notStarted, count: messages.count - begun.count)
    }

    func store(_: [MessageID], workspace _: WorkspaceID, send _: SendID?, in _: PostgresTransaction) async throws {}

    func forget(_: [MessageID]) {}
}

/// What became of the messages that were begun, told by the connection's thread.
private final class HandedOutcomes: Sendable {
    private let outcomes = Mutex<[HandoverOutcome]>([])

    func append(_ outcome: HandoverOutcome) { outcomes.withLock { $0.append(outcome) } }

    var all: [HandoverOutcome] { outcomes.withLock { $0 } }
}

extension Sender {
    /// What the mail library needs to connect.
    /// - Throws: field errors for settings that cannot be used.
    func connection(helloName: String) throws -> SMTPSettings {
        let server: MailServer = settings.smtp
        let connection = SMTPSettings(
            host: server.host, port: server.port, encryption: server.encryption, username: server.username,
            password: password, helloName: helloName, trustedCertificates: server.certificates)
        try connection.validate()
        return connection
    }
}

/// What a server's answer means for the message, its person and the send.
enum SMTPVerdict {
    static func outcome(of outcome: SMTPOutcome) -> HandoverOutcome {
        switch outcome {
        case .accepted(let reply): .accepted(reply.line)
        case .deferred(let reply): refused(reply, isTemporary: true)
        case .rejected(let reply): refused(reply, isTemporary: false)
        case .uncertain(let reason): .uncertain(.connectionLostAfterData, reason)
        case .unavailable(let reason): .unavailable(reason)
        case .configuration(let reason): .misconfigured(reason)
        }
    }

    private static func refused(_ reply: SMTPReply, isTemporary: Bool) -> HandoverOutcome {
        let verdict: BounceClass = BounceClassifier.classify(reply).bounceClass
        switch verdict {
        case .hard: return isTemporary ? .soft(reply.line) : .hard(reply.line)
        case .soft: return isTemporary ? .soft(reply.line) : .softFailure(reply.line)
        case .block: return isTemporary ? .deferredByPolicy(reply.line) : .blocked(reply.line)
        case .config: return isTemporary ? .soft(reply.line) : .misconfigured(reply.line)
        case .unknown: return isTemporary ? .soft(reply.line) : .rejected(reply.line)
        }
    }
}
