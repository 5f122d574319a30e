import Accounts
import Core
import Cryptography
import FoundationEssentials
import Jobs
import Logging
import Mail
import Metrics
import Postgres
import ServiceLifecycle
import Templates
import Web

/// Everything that runs when the portal runs, in the order in which it depends on each other.
package struct PortalRuntime: Sendable {
    /// What a node does: everything, only answer requests, or only work through the queue.
    package enum NodeRole: String, Sendable, CaseIterable {
        case all, web, worker
    }

    package let configuration: PortalConfiguration
    package let services: AppServices
    package let assembly: PortalAssembly
    private let embedded: EmbeddedPostgres?
    private let address: String
    private let pools: [PostgresPool]
    private let readiness: Readiness
    private let logger: Logger

    /// Starts the private database if there is no other, brings the schema up to date, and wires the slices.
    /// - Throws: whatever keeps the portal from starting, in words for the operator.
    package static func prepare(_ configuration: PortalConfiguration, logger: Logger) async throws -> PortalRuntime {
        try FileManager.default.createDirectory(atPath: configuration.varDirectory, withIntermediateDirectories: true)
        var embedded: EmbeddedPostgres?
        let address: String
        if let url = configuration.databaseURL {
            address = url.reveal()
        } else {
            let cluster = try EmbeddedPostgres(directory: "\(configuration.varDirectory)/postgres", logger: logger)
            try await cluster.start()
            embedded = cluster
            address = cluster.connectionString
        }
        do {
            try await Migrator(directory: "\(configuration.resources)/migrations", address: address, logger: logger)
                .migrate()
            return try PortalRuntime(configuration, embedded: embedded, address: address, logger: logger)
        } catch {
            await embedded?.stop()
            throw error
        }
    }

    private init(
        _ configuration: PortalConfiguration, embedded: EmbeddedPostgres?, address: String, logger: Logger
    ) throws {
        self.configuration = configuration
        self.embedded = embedded
        self.address = address
        self.logger = logger
        let metrics = PrometheusRegistry.shared
        let readiness = Readiness()
        let web = PostgresPool(
            name: "web", settings: ConnectionSettings(address: address),
            limits: .init(
                minimum: 1, maximum: configuration.webConnections,
                quickReads: max(3, ProcessInfo.processInfo.activeProcessorCount * 3 / 2)), logger: logger)
        let worker = PostgresPool(
            name: "worker", settings: .worker(address: address),
            limits: .init(minimum: 1, maximum: configuration.workerConnections), logger: logger)
        pools = [web, worker]
        let secret = try SecretFiles.secret(
            configuration.jwtSecret, variable: "MARKETING_JWT_SECRET", file: "jwt", configuration: configuration)
        let keys = SigningKeys(
            secret: Array(secret.reveal().utf8),
            earlier: configuration.earlierJWTSecrets.map { Array($0.reveal().utf8) })
        services = AppServices(
            database: Database(web), workerDatabase: Database(worker), jobs: JobQueue(),
            secrets: try Self.secretBox(configuration.encryptionKeys.map { $0.reveal() }, keys),
            keys: keys,
            urls: PortalURLs(portalBase: configuration.portalURL, publicBase: configuration.publicURL),
            passwords: PasswordHasher(), varDirectory: configuration.varDirectory,
            systemSMTP: configuration.systemSMTP, logger: logger)
        self.readiness = readiness
        let resources: String = configuration.resources
        let letters = LetterViews {
            try PortalAssembly.views(
                in: "\(resources)/Views", assets: try Assets(directory: "\(resources)/Public"))
        }
        let mailer = SystemMailer(
            smtp: configuration.systemSMTP, directory: configuration.varDirectory, views: { try? letters.library() },
            send: SystemMailTransport.send, logger: logger)
        assembly = PortalAssembly(
            services: services, metrics: metrics, readiness: readiness, mailer: mailer, outbox: configuration.outbox,
            serviceKey: configuration.serviceAPIKey,
            icons: configuration.isEmbedded
                ? IconSprite.names(in: "\(configuration.resources)/Public/img/icons.svg") : nil,
            views: { try letters.library() })
        self.letters = letters
    }

    /// Seals with the first key that is set, or with one derived from the secret. Whatever may have sealed before still
    /// opens, the derived keys too, so that setting a key for the first time loses nothing.
    private static func secretBox(_ given: [[UInt8]], _ keys: SigningKeys) throws -> SecretBox {
        let purpose = "secrets at rest"
        let all = given + [keys.bytes(for: purpose)] + keys.earlierBytes(for: purpose)
        return try SecretBox(current: all[0], older: Array(all.dropFirst()))
    }

    private let letters: LetterViews

    /// Serves until a signal asks to stop: requests under way are answered, jobs finished or given back, then the
    /// pools close and the private database stops.
    /// - Parameter reloadViews: for development: views follow their files, and mistakes in them show as a page. Without it
    ///   no file is read after the start.
    package func run(as role: NodeRole, reloadViews: Bool = false) async throws {
        let assets = try Assets(directory: "\(configuration.resources)/Public")
        let views = try self.views(assets, reload: reloadViews)
        letters.follow(views)
        let server = assembly.server(
            configuration: webConfiguration, views: views, assets: assets, role: role, logger: logger)
        var running: [any Service] = []
        if let embedded { running.append(embedded) }
        running += pools.map { $0 as any Service }
        running += assembly.tracking.eventWriters
        await assembly.messaging.recover()
        await replayErasures()
        if role != .web { running += workers() }
        running.append(
            WebService(
                server: server, host: configuration.host, ports: configuration.ports(of: role), readiness: readiness,
                portalURL: role == .worker ? nil : configuration.portalURL, logger: logger))
        var group = ServiceGroupConfiguration(
            services: running.map(Self.named), gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        group.maximumGracefulShutdownDuration = .seconds(30)
        group.maximumCancellationDuration = .seconds(5)
        try await ServiceGroup(configuration: group).run()
    }

    /// A service called by its type. One without a name is called by a description of all that it holds, keys included, and
    /// writing that took two fifths of a start.
    static func named(_ service: any Service) -> ServiceGroupConfiguration.ServiceConfiguration {
        ServiceGroupConfiguration.ServiceConfiguration(service: service, serviceName: "\(type(of: service))")
    }

    /// What a restored backup does not know of erasures is done again.
    private func replayErasures() async {
        do {
            let count: Int = try await assembly.contacts.replayErasures()
            if count > 0 {
                logger.notice(
                    "the database does not know erasures that were done; they are done again",
                    metadata: ["count": "\(count)"])
            }
        } catch {
            logger.error("erasures could not be compared with their journal", metadata: ["error": "\(error)"])
        }
    }

    /// - Throws: `ViewErrors` with all mistakes, unless the views follow their files: then each request throws them.
    private func views(
        _ assets: Assets, reload: Bool
    ) throws -> @Sendable () throws -> ViewLibrary {
        let directory = "\(configuration.resources)/Views"
        guard reload else {
            let library = try PortalAssembly.views(in: directory, assets: assets)
            return { library }
        }
        logger.notice("views are read again when their files change; use this for development only")
        let reloader = ViewReloader(directory: directory) { () throws(ViewErrors) in
            try PortalAssembly.views(in: directory, assets: assets)
        }
        return { try reloader.library() }
    }

    /// Does one thing with the services, without serving: the commands that make a user or run a bench.
    package func perform<Value: Sendable>(_ body: @Sendable (PortalRuntime) async throws -> Value) async throws -> Value
    {
        do {
            let value = try await body(self)
            await close()
            return value
        } catch {
            await close()
            throw error
        }
    }

    private func close() async {
        for pool in pools { await pool.shutDown() }
        await embedded?.stop()
    }

    private var webConfiguration: WebConfiguration {
        WebConfiguration(
            isSecure: configuration.portalURL.hasPrefix("https://"), key: services.keys.bytes(for: "web"),
            earlierKeys: services.keys.earlierBytes(for: "web"),
            trustedProxies: configuration.trustedProxies, allowedOrigins: configuration.corsOrigins)
    }

    /// The queue's worker with the one connection that listens for it.
    private func workers() -> [any Service] {
        let listener = PostgresListener(settings: .worker(address: address), logger: logger)
        let node: Identifier<JobTag> = services.ids.next()
        let worker = JobWorker(
            name: "\(ProcessInfo.processInfo.hostName)/\(node)", database: services.workerDatabase,
            registry: assembly.jobs,
            // After kill -9 the jobs of this node wait for their leases to end, a campaign among them.
            queue: services.jobs, settings: .init(lease: .seconds(15)), clock: services.clock,
            randomness: services.randomness, logger: logger,
            announcements: { listener.notifications(on: $0) })
        return [listener, worker, assembly.segments.keeper, assembly.segments.factsKeeper]
    }
}
