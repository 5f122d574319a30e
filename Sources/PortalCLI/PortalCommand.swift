import ArgumentParser
import Core
import FoundationEssentials
import Logging
import Metrics
import Portal

/// The program's commands. Arguments only: what they do lives in `Portal` and below.
@main
struct PortalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "portal", abstract: "The marketing portal: contacts, campaigns, and what became of them.",
        discussion: """
            Settings come from the environment and from a file named .env in the current directory; .env.example lists
            them all. Without a database address the portal keeps a PostgreSQL of its own under var/.
            """,
        subcommands: [
            Serve.self, Migrate.self, UserCommand.self, DemoCommand.self, Render.self, Views.self, Routes.self,
            Doctor.self, Bounce.self,
            Bench.self, Version.self,
        ])
}

/// What all commands share.
enum CommandSupport {
    static func configuration() throws -> PortalConfiguration {
        do {
            return try PortalConfiguration.load(
                ProcessInfo.processInfo.environment, currentDirectory: FileManager.default.currentDirectoryPath)
        } catch {
            throw CleanExit.failure(error.description)
        }
    }

    static func logger(_ configuration: PortalConfiguration) -> Logger {
        let level = configuration.logLevel
        if TerminalLogHandler.isWatched {
            LoggingSystem.bootstrap { _ in TerminalLogHandler(level: level) }
        } else {
            LoggingSystem.bootstrap { JSONLogHandler(label: $0, level: level) }
        }
        MetricsSystem.bootstrap(PrometheusRegistry.shared)
        return Logger(label: "portal")
    }

    /// Runs with a prepared portal that does not serve.
    static func withRuntime<Value: Sendable>(
        _ body: @Sendable @escaping (PortalRuntime) async throws -> Value
    ) async throws -> Value {
        var configuration = try configuration()
        if configuration.logLevel < .warning { configuration.logLevel = .warning }
        let runtime = try await PortalRuntime.prepare(configuration, logger: logger(configuration))
        return try await runtime.perform(body)
    }
}

extension CleanExit {
    /// Ends the program with a message on standard error and status 1.
    static func failure(_ message: String) -> any Error {
        ValidationError(message)
    }
}
