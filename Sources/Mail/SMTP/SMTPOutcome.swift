/// How handing one message to a server ended.
package enum SMTPOutcome: Sendable, Equatable {
    /// The server took responsibility for the message.
    case accepted(SMTPReply)
    /// A refusal for now (4xx): try again later.
    case deferred(SMTPReply)
    /// A refusal for good (5xx): see ``BounceClassifier`` for whose fault it is.
    case rejected(SMTPReply)
    /// The whole message went out and no answer came: it may have been accepted. Never send it again blindly.
    case uncertain(reason: String)
    /// Nothing was handed over: no connection, or it broke before the message's end. Trying again is safe.
    case unavailable(reason: String)
    /// The settings are wrong: password, encryption, certificate, name. Nothing was handed over.
    case configuration(reason: String)

    /// The server's answer, where there is one.
    package var reply: SMTPReply? {
        switch self {
        case .accepted(let reply), .deferred(let reply), .rejected(let reply): reply
        case .uncertain, .unavailable, .configuration: nil
        }
    }

    /// Whether the next message would fail the same way, because the server cannot be reached or used.
    package var concernsServer: Bool {
        switch self {
        case .unavailable, .configuration: true
        default: false
        }
    }
}
