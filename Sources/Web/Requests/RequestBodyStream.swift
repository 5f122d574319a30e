import Hummingbird

/// The body of a request as it arrives. Reading it waits for the client; not reading it holds the client back.
package struct RequestBodyStream: AsyncSequence, Sendable {
    package typealias Element = [UInt8]

    private let body: RequestBody
    /// Bytes after which reading throws `WebError.tooLarge`.
    package let limit: Int
    /// Hashes what is read, where somebody wants to know.
    private let digest: BodyDigest?

    init(_ body: RequestBody, limit: Int, digest: BodyDigest? = nil) {
        self.body = body
        self.limit = limit
        self.digest = digest
    }

    /// The same body, hashed while it is read.
    func counted(by digest: BodyDigest) -> RequestBodyStream {
        RequestBodyStream(body, limit: limit, digest: digest)
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        var iterator: RequestBody.AsyncIterator
        var left: Int
        let limit: Int
        let digest: BodyDigest?

        package mutating func next() async throws -> [UInt8]? {
            guard let buffer = try await part() else {
                digest?.end()
                return nil
            }
            left -= buffer.readableBytes
            guard left >= 0 else { throw WebError.tooLarge(limit: limit) }
            let bytes = Array(buffer.readableBytesView)
            digest?.take(bytes)
            return bytes
        }

        /// What goes wrong here is the client's doing: it went away or sent what is no HTTP.
        private mutating func part() async throws -> ByteBuffer? {
            do {
                return try await iterator.next()
            } catch let error as CancellationError {
                throw error
            } catch {
                throw WebError.badRequest("The request broke off before its end.", code: "broken_request")
            }
        }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(iterator: body.makeAsyncIterator(), left: limit, limit: limit, digest: digest)
    }

    /// The whole body. Throws `WebError.tooLarge` beyond the limit.
    package func collect(upTo limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await chunk in RequestBodyStream(body, limit: Swift.min(limit, self.limit), digest: digest) {
            bytes += chunk
        }
        return bytes
    }
}
