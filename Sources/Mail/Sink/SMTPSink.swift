import Core
import Glibc
import Synchronization

/// An SMTP server on this machine that takes every message and delivers none: for benches and tests.
///
/// A thread per connection. What it refuses, drops or delays is decided per recipient by ``Options/behavior``.
package final class SMTPSink: Sendable {
    package enum Recording: Sendable, Equatable {
        case nothing
        /// Recipient and Message-ID of each accepted message.
        case envelopes
        /// Also the messages themselves, up to so many bytes in all.
        case messages(limit: Int)
    }

    package struct Options: Sendable {
        package var greeting = "220 sink.example ESMTP"
        /// Lines of the answer to EHLO.
        package var extensions: [String] = ["PIPELINING", "SIZE 52428800", "8BITMIME"]
        /// When set, MAIL is refused until this user signed in.
        package var credentials: (user: String, password: String)?
        package var recording = Recording.nothing
        /// What happens to a recipient's message; nil accepts it.
        package var behavior: (@Sendable (_ recipient: String) -> SinkBehavior?)?
        /// An answer to MAIL FROM other than 250.
        package var senderReply: (@Sendable (_ sender: String) -> String?)?

        package init() {}
    }

    package struct Record: Sendable, Equatable {
        package let sender: String
        package let recipient: String
        package let messageID: String
        /// Dot-stuffing undone; empty unless messages are recorded.
        package let message: [UInt8]
    }

    package typealias Failure = LoopbackListener.Failure

    private let listener: LoopbackListener
    let options: Options
    private let acceptedMessages = Atomic<Int>(0)
    private let openedConnections = Atomic<Int>(0)
    private let acceptedBytes = Atomic<Int>(0)
    private let state = Mutex(State())

    private struct State {
        var records: [Record] = []
        var recordedBytes = 0
        var sockets: Set<Int32> = []
        var isStopped = false
    }

    /// Starts listening.
    /// - Parameter port: 0 takes a free one.
    package init(port: Int = 0, options: Options = Options()) throws(Failure) {
        self.options = options
        listener = try LoopbackListener(port: port)
        listener.serve(name: "sink-accept") { [weak self] socket in
            guard let sink = self, sink.adopt(socket) else {
                close(socket)
                return
            }
            OwnThread.launch(name: "sink") {
                SinkSession(socket: socket, sink: sink).run()
                sink.release(socket)
            }
        }
    }

    deinit {
        stop()
    }

    /// The port it listens on, on 127.0.0.1.
    package var port: Int { listener.port }
    package var messageCount: Int { acceptedMessages.load(ordering: .relaxed) }
    package var connectionCount: Int { openedConnections.load(ordering: .relaxed) }
    package var byteCount: Int { acceptedBytes.load(ordering: .relaxed) }

    /// What was recorded so far, in the order of acceptance.
    package var records: [Record] { state.withLock { $0.records } }

    /// Stops listening and cuts every connection.
    package func stop() {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.isStopped = true
            listener.stop()
            for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    /// Cuts every connection but keeps listening: a server that restarts.
    package func cutConnections() {
        state.withLock { state in
            for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    private func adopt(_ socket: Int32) -> Bool {
        openedConnections.add(1, ordering: .relaxed)
        return state.withLock { state in
            guard !state.isStopped else { return false }
            state.sockets.insert(socket)
            return true
        }
    }

    private func release(_ socket: Int32) {
        state.withLock { state in
            state.sockets.remove(socket)
            close(socket)
        }
    }

    /// Counts a message and keeps what is to be kept of it.
    func take(sender: String, recipients: [String], message: UnsafeRawBufferPointer) {
        acceptedMessages.add(1, ordering: .relaxed)
        acceptedBytes.add(message.count, ordering: .relaxed)
        guard options.recording != .nothing else { return }
        let messageID: String = SinkMessage.messageID(in: message)
        var kept: [UInt8] = []
        if case .messages = options.recording { kept = SinkMessage.withoutStuffing(message) }
        state.withLock { state in
            if case .messages(let limit) = options.recording {
                if state.recordedBytes + kept.count > limit { kept = [] }
                state.recordedBytes += kept.count
            }
            for recipient in recipients {
                state.records.append(
                    Record(sender: sender, recipient: recipient, messageID: messageID, message: kept))
            }
        }
    }
}

/// What a sink does with a message to one recipient.
package struct SinkBehavior: Sendable, Equatable {
    package enum Action: Sendable, Equatable {
        /// Answers with this line, such as `550 5.1.1 No such user`.
        case reply(String)
        /// Waits so many milliseconds and goes on as usual.
        case delay(Int)
        /// Closes the connection without an answer.
        case disconnect
        /// Accepts the message, counts it, and closes the connection without an answer. Only at the message's end.
        case acceptAndDisconnect
        /// Answers with a line that is no SMTP.
        case garbage
        /// Never answers again.
        case silence
    }

    package let stage: SMTPStage
    package let action: Action

    package init(_ stage: SMTPStage, _ action: Action) {
        self.stage = stage
        self.action = action
    }
}
