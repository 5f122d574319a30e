import CLibPQ
import Logging
import ServiceLifecycle
import Synchronization

/// One connection that waits for `NOTIFY`. It reconnects by itself, and wakes every subscriber then, because
/// notifications may have been missed meanwhile. A notification is only a hint to look; look from time to time anyway.
package final class PostgresListener: Service {
    private struct State {
        var subscribers: [UInt64: Subscriber] = [:]
        var last: UInt64 = 0
        /// Interrupts the wait, so that a new channel is listened to.
        var interrupt: (@Sendable () -> Void)?
    }

    private struct Subscriber {
        let channel: String
        let continuation: AsyncStream<Void>.Continuation
    }

    private let settings: ConnectionSettings
    private let logger: Logger
    private let state = Mutex(State())

    package init(settings: ConnectionSettings, logger: Logger = Logger(label: "portal.postgres")) {
        var settings = settings
        settings.applicationName += "-listener"
        self.settings = settings
        self.logger = logger
    }

    /// A stream that yields when something was notified on the channel; several in a row may be one. It begins with
    /// one element once the channel is listened to. The channel's name follows the rules of SQL identifiers.
    package func notifications(on channel: String) -> AsyncStream<Void> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let (number, interrupt) = state.withLock { state in
                state.last += 1
                state.subscribers[state.last] = Subscriber(channel: channel, continuation: continuation)
                return (state.last, state.interrupt)
            }
            continuation.onTermination = { [weak self] _ in
                self?.state.withLock { _ = $0.subscribers.removeValue(forKey: number) }
            }
            interrupt?()
        }
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown { await self.listenForever() }
        for subscriber in state.withLock({ Array($0.subscribers.values) }) { subscriber.continuation.finish() }
    }

    private func listenForever() async {
        var pause: Duration = .milliseconds(100)
        while !Task.isCancelled {
            let start: Deadline = .now
            do {
                try await PostgresConnection.with(settings) { session in try await listen(session) }
            } catch {
                if Task.isCancelled { return }
                logger.warning("Listening connection lost", metadata: ["error": "\(error)"])
            }
            pause = start + .seconds(10) < .now ? .milliseconds(100) : min(pause * 2, .seconds(5))
            guard (try? await Task.sleep(for: pause)) != nil else { return }
        }
    }

    private func listen(_ session: PostgresAutocommit) async throws {
        var listening: Set<String> = []
        while !Task.isCancelled {
            let wait = NotificationWait(session.lease)
            state.withLock { $0.interrupt = wait.interrupt }
            let wanted: Set<String> = state.withLock { Set($0.subscribers.values.map(\.channel)) }
            for channel in wanted.subtracting(listening) {
                try await session.run("listen", "LISTEN \(identifier: channel)")
                listening.insert(channel)
                wake([channel])
            }
            wake(try await wait.run())
        }
    }

    private func wake(_ channels: Set<String>) {
        let continuations: [AsyncStream<Void>.Continuation] = state.withLock { state in
            state.subscribers.values.filter { channels.contains($0.channel) }.map(\.continuation)
        }
        for continuation in continuations { continuation.yield() }
    }
}

/// One wait for notifications, which may be interrupted.
private struct NotificationWait: Sendable {
    private let operation: Operation

    init(_ lease: PostgresLease) {
        operation = Operation(lease: lease, query: "listen")
    }

    var interrupt: @Sendable () -> Void {
        let signal: InterruptSignal = operation.lease.connection.signal
        let number: UInt64 = operation.number
        return { signal.cancel(number) }
    }

    /// The channels that were notified; none after an interruption.
    func run() async throws -> Set<String> {
        let connection = operation.lease.connection
        return try await withTaskCancellationHandler {
            try await connection.waitForNotifications(operation)
        } onCancel: {
            connection.signal.cancel(operation.number)
        }
    }
}

extension PostgresConnection {
    fileprivate func waitForNotifications(_ operation: Operation) throws -> Set<String> {
        defer { signal.forget(operation.number) }
        guard let wire else { throw PostgresError.connectionLost(query: "listen", reason: "closed") }
        while true {
            let channels: Set<String> = takeNotifications(wire)
            if !channels.isEmpty || signal.isCancelled(operation.number) { return channels }
            do throws(Wire.Interruption) {
                try wire.waitForServer(operation: operation.number, deadline: nil)
            } catch {
                if error == .cancelled { return [] }
                discard()
                throw error.error(query: "listen")
            }
        }
    }

    private func takeNotifications(_ wire: Wire) -> Set<String> {
        var channels: Set<String> = []
        while let notification = PQnotifies(wire.handle) {
            channels.insert(String(cString: notification.pointee.relname))
            PQfreemem(notification)
        }
        return channels
    }
}
