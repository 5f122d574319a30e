import Core
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Web

/// Listens on the ports of a node, with the same routes on each.
struct WebService: Service {
    let server: WebServer
    let host: String
    let ports: [Int]
    let readiness: Readiness
    /// Where people reach the portal; nil on a node that shows no pages.
    let portalURL: String?
    let logger: Logger

    func run() async throws {
        let server = server
        let responder = server.responder()
        let readiness = readiness
        // What the library says about listening is said below, with the address that people open.
        var quiet: Logger = logger
        quiet.logLevel = max(.notice, logger.logLevel)
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for port in ports {
                    let application = Application(
                        responder: responder,
                        server: .http1(
                            configuration: .init(
                                additionalChannelHandlers: [SlowClientGuard()] + server.directAnswers(),
                                idleTimeout: .seconds(60))),
                        configuration: .init(address: .hostname(host, port: port), backlog: 1024),
                        onServerRunning: { [logger, portalURL, ports] channel in
                            readiness.set(true)
                            let address = channel.localAddress.map { "\($0)" } ?? "?"
                            logger.info("listening", metadata: ["address": .string(address)])
                            if port == ports.first, let portalURL {
                                logger.info("the portal is ready", metadata: ["open": .string(portalURL)])
                            }
                        },
                        logger: quiet)
                    group.addTask { try await application.run() }
                }
                group.addTask { try await Self.settle() }
                try await group.waitForAll()
            }
        } onGracefulShutdown: {
            readiness.set(false)
        }
    }

    /// A second after the start everything that runs by itself has run once; what starting alone needed can go.
    private static func settle() async throws {
        do {
            try await Task.sleep(for: .seconds(1))
        } catch {
            // Stopped before it had settled.
            return
        }
        ProgramPages.giveBack()
    }
}
