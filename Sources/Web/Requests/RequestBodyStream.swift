import Hummingbird

/// The body of a request as it arrives. Reading it waits for the client; not reading it holds the client back.
package struct RequestBodyStream: AsyncSequence, Sendable {
    package typealias Element = [UInt8]

    private let body: RequestBody
    /// Bytes after which reading throws `WebError.tooLarge`.
    package let limit: Int

    init(_ body: RequestBody, limit: Int) {
        self.body = body
        self.limit = limit
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        var iterator: RequestBody.AsyncIterator
        var left: Int
        let limit: Int

        package mutating func next() async throws -> [UInt8]? {
            guard let buffer = try await iterator.next() else { return nil }
            left -= buffer.readableBytes
            guard left >= 0 else { throw WebError.tooLarge(limit: limit) }
            return Array(buffer.readableBytesView)
        }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(iterator: body.makeAsyncIterator(), left: limit, limit: limit)
    }

    /// The whole body. Throws `WebError.tooLarge` beyond the limit.
    package func collect(upTo limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await chunk in RequestBodyStream(body, limit: Swift.min(limit, self.limit)) { bytes += chunk }
        return bytes
    }
}
