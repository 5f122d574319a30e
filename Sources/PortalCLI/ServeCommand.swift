import ArgumentParser
import Portal

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve pages, API, tracking, and work through the queue.",
        discussion: """
            Any number of nodes may serve one database. Split the work with --role when one machine is not enough.
            A worker answers /healthz, /readyz and /metrics on MARKETING_WORKER_PORT.
            SIGTERM finishes what is under way and stops.
            """)

    @Option(help: "What this node does: all, web or worker.")
    var role: String = "all"

    @Flag(help: "For development: read views again when they change, and show mistakes in them as a page.")
    var reloadViews = false

    func run() async throws {
        guard let role = PortalRuntime.NodeRole(rawValue: role) else {
            throw ValidationError("The role is all, web or worker.")
        }
        let configuration = try CommandSupport.configuration()
        let logger = CommandSupport.logger(configuration)
        do {
            try await PortalRuntime.prepare(configuration, logger: logger).run(as: role, reloadViews: reloadViews)
        } catch {
            logger.critical("the portal could not run", metadata: ["error": .string("\(error)")])
            throw ExitCode.failure
        }
    }
}

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring the database's schema up to date and stop.",
        discussion: "Serving does this too. Several nodes may do it at once: one works, the others wait.")

    func run() async throws {
        try await CommandSupport.withRuntime { _ in }
        print("The schema is up to date.")
    }
}

struct Version: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the version.")

    func run() {
        print("portal \(PortalVersion.current)")
    }
}
