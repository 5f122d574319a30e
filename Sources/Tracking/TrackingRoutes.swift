import Accounts
import Core
import FoundationEssentials
import Web

/// The addresses inside e-mails: the pixel and the links. Hot: nothing but the check, the batch and the answer.
struct TrackingRoutes: Sendable {
    let services: AppServices
    let links: TrackingLinks
    let events: GroupCommit<EmailEvent>
    let bursts: ClickBursts
    let spool: ClickSpool

    func add(to routes: inout RouteTable) {
        routes.raw(
            .get, "/v1/webhooks/track/open/{sentEmailId}", operation: Self.openOperation, direct: directOpen, open)
        routes.raw(
            .get, "/v1/webhooks/track/click/{sentEmailId}", operation: Self.clickOperation, direct: directClick, click)
    }

    // MARK: On the event loop, as long as everything is at hand and in order

    private func directOpen(
        _ request: DirectRequest, _ answer: @escaping @Sendable (Result<WebResponse, any Error>) -> Void
    ) -> Bool {
        guard let id = MessageID(request.parameter),
            let workspace = services.directory.remembered(routingKey: id.routingKey), workspace.trackOpens
        else { return false }
        let event = event(.open, of: id, in: workspace.id, Sender(request))
        return store(event) { answer($0.map { Self.pixel }) }
    }

    private func directClick(
        _ request: DirectRequest, _ answer: @escaping @Sendable (Result<WebResponse, any Error>) -> Void
    ) -> Bool {
        guard let click = signedClick(request.parameter, ClickQuery(request.queryText)),
            let workspace = services.directory.remembered(routingKey: click.message.routingKey), workspace.trackClicks
        else { return false }
        let event = event(
            .click, of: click.message, in: workspace.id, Sender(request), link: click.number, url: click.url)
        return store(event) { outcome in
            if case .failure(let error) = outcome { keep(event, error) }
            answer(.success(Self.redirect(to: click.url)))
        }
    }

    private func store(_ event: EmailEvent, then answer: @escaping @Sendable (Result<Void, any Error>) -> Void) -> Bool
    {
        do {
            try events.submit(event, then: answer)
            return true
        } catch {
            // The ordinary way says so.
            return false
        }
    }

    // MARK: The ordinary way

    /// Answers the pixel whatever the id says, so that nobody can find out which messages exist.
    private func open(_ request: WebRequest) async throws -> WebResponse {
        if let id = request.parameter("sentEmailId").flatMap({ MessageID($0) }),
            let workspace = try await services.directory.workspace(routingKey: id.routingKey),
            try await services.directory.workspace(workspace)?.trackOpens == true
        {
            try await store(event(.open, of: id, in: workspace, Sender(request)))
        }
        return Self.pixel
    }

    /// Redirects only to the target that was signed into this very address, and then always: a click that cannot be stored
    /// now is kept.
    private func click(_ request: WebRequest) async throws -> WebResponse {
        guard let click = signedClick(request.parameter("sentEmailId") ?? "", ClickQuery(request.query)) else {
            throw Self.brokenLink
        }
        let sender = Sender(request)
        do {
            if let workspace = try await services.directory.workspace(routingKey: click.message.routingKey),
                try await services.directory.workspace(workspace)?.trackClicks == true
            {
                let event = event(.click, of: click.message, in: workspace, sender, link: click.number, url: click.url)
                do {
                    try await events.submit(event)
                } catch {
                    keep(event, error)
                }
            }
        } catch {
            // Not even the workspace can be asked for. It is found by the message when the click is stored.
            let nowhere = WorkspaceID(.zero)
            keep(event(.click, of: click.message, in: nowhere, sender, link: click.number, url: click.url), error)
        }
        return Self.redirect(to: click.url)
    }

    /// Keeps a click that cannot be stored. Nobody who clicks can do anything about it, so only the log says so.
    private func keep(_ event: EmailEvent, _ reason: any Error) {
        do {
            guard try spool.keep(event) else { return }
            services.logger.warning("Clicks cannot be stored and are kept in a file", metadata: ["error": "\(reason)"])
        } catch {
            services.logger.error("A click is lost", metadata: ["error": "\(reason)", "file": "\(error)"])
        }
    }

    private func store(_ event: EmailEvent) async throws {
        do {
            try await events.submit(event)
        } catch is GroupCommit<EmailEvent>.Overloaded {
            throw WebError.unavailable("Too much at once. Try again in a moment.", retryAfter: 1)
        } catch is GroupCommit<EmailEvent>.Stopped {
            throw WebError.unavailable("The portal is restarting. Try again in a moment.", retryAfter: 2)
        }
    }

    // MARK: What happened

    private struct SignedClick {
        let message: MessageID
        let number: Int
        let url: String
    }

    private func signedClick(_ parameter: String, _ query: ClickQuery?) -> SignedClick? {
        guard let id = MessageID(parameter), let query, Self.isWebAddress(query.url),
            links.isValid(message: id, number: query.number, url: query.url, tag: query.tag)
        else { return nil }
        return SignedClick(message: id, number: query.number, url: query.url)
    }

    /// What the request tells of the program behind it.
    private struct Sender {
        let isHead: Bool
        let userAgent: String?
        let acceptsLanguage: Bool
        let address: String

        init(_ request: WebRequest) {
            isHead = request.method == .head
            userAgent = request.headers[.userAgent]
            acceptsLanguage = request.headers[.acceptLanguage] != nil
            address = request.clientAddress
        }

        init(_ request: DirectRequest) {
            isHead = false
            userAgent = request.head.value(of: "user-agent")
            acceptsLanguage = request.head.value(of: "accept-language") != nil
            address = request.clientAddress
        }
    }

    private func event(
        _ kind: Engagement.Kind, of id: MessageID, in workspace: WorkspaceID, _ sender: Sender, link: Int? = nil,
        url: String? = nil
    ) -> EmailEvent {
        let now = services.clock.now
        let named = sender.userAgent ?? ""
        let agent = named.utf8.count <= 300 ? named : String(named.prefix(300))
        let hit = EngagementClassifier.Hit(
            kind: kind, isHead: sender.isHead, userAgent: agent,
            acceptsLanguage: sender.acceptsLanguage, age: now.timeIntervalSince(id.madeAt),
            linksInBurst: link.map { bursts.record(id, link: $0, at: now) } ?? 0)
        let engagementClass = EngagementClassifier.classify(hit)
        return EmailEvent(
            id: services.ids.next(), workspace: workspace,
            engagement: Engagement(message: id, kind: kind, occurredAt: now, isHuman: engagementClass.kind == .human),
            linkNumber: link, url: url, engagementClass: engagementClass, userAgent: agent,
            network: NetworkPrefix.of(sender.address))
    }

    private static func redirect(to url: String) -> WebResponse {
        WebResponse.empty(.found)
            .header(.location, url).header(.cacheControl, "no-store").header(.referrerPolicy, "no-referrer")
            .header(.robots, "noindex")
    }

    /// Schemes that a mail may lead to; checked again here, whatever was signed.
    private static func isWebAddress(_ url: String) -> Bool {
        (url.hasPrefix("https://") || url.hasPrefix("http://")) && !url.utf8.contains { $0 < 32 || $0 == 127 }
    }

    private static let brokenLink = WebError(
        .notFound, code: "broken_link",
        detail: "This link is incomplete. Open the message again and use the link in it.")

    /// The smallest GIF: one transparent pixel.
    private static let pixel = WebResponse.bytes(
        [
            0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0x21, 0xF9, 4, 1, 0,
            0, 0, 0,
            0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3B,
        ], contentType: "image/gif",
        headers: [.cacheControl: "no-store, private", .crossOriginResourcePolicy: "cross-origin"])

    private static let openOperation = APIOperation(
        id: "trackOpen", tag: "Tracking", summary: "The pixel of a message: records that it was opened",
        response: .string(format: "binary"), responseType: "image/gif", problems: [503])

    private static let clickOperation = APIOperation(
        id: "trackClick", tag: "Tracking", summary: "A link of a message: records the click and leads to the target",
        details: "The address is made and signed by the portal; any change to it is answered with 404.",
        query: [
            .init("l", .integer(minimum: 0), "The link’s number in the message.", required: true),
            .init("u", .string(format: "uri"), "The target.", required: true),
            .init("s", .string, "The signature.", required: true),
        ], status: 302, problems: [404, 503])
}

extension Identifier where Entity == MessageTag {
    /// When the message was put in the ledger: the first 48 bits of its id, in milliseconds.
    var madeAt: Date {
        let milliseconds = withUnsafeBytes(of: uuid.uuid) { bytes in
            bytes.prefix(6).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        return Date(timeIntervalSince1970: Double(milliseconds) / 1000)
    }
}
