import Core
import Templates

/// The state of long work as a page shows it, and whether it is over.
package struct LivePart: Sendable {
    let page: any ViewPage
    let isLast: Bool

    package init(_ page: any ViewPage, isLast: Bool) {
        self.page = page
        self.isLast = isLast
    }
}

extension WebResponse {
    /// Server-sent events that carry one fragment of a page again and again: `fragment` events with its HTML whenever it
    /// has changed, and `done` at the end. After a few minutes the stream ends by itself and the browser asks anew, so
    /// that no connection outlives a shutdown for long.
    /// - Parameter next: the state now; nil when there is nothing to show any more.
    package static func live(
        fragment: String, every interval: Duration = .seconds(1),
        _ next: @escaping @Sendable () async throws -> LivePart?
    ) -> WebResponse {
        let write: @Sendable (PageRenderer.Rendering, BodyWriter) async throws -> Void = { rendering, body in
            let rendering = PageRenderer.Rendering(
                library: rendering.library, chrome: rendering.chrome, fragment: fragment)
            let clock = ContinuousClock()
            let end = clock.now.advanced(by: .seconds(240))
            var shown: [UInt8] = []
            try await body.write("retry: 1000\n\n")
            while clock.now < end {
                guard let part = try await next() else { return try await body.event("done", data: "") }
                let html: [UInt8] = try rendering.render(part.page)
                if html != shown { try await body.event("fragment", data: String(decoding: html, as: UTF8.self)) }
                shown = html
                if part.isLast { return try await body.event("done", data: "") }
                try await Task.sleep(for: interval)
            }
        }
        return WebResponse(
            status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"], content: .live(write))
    }
}
