import Core
import Cryptography
import Hummingbird
import NIOCore

/// An answer as it goes down the connection.
struct DirectResponse: Sendable {
    let head: HTTPResponse
    let body: ByteBuffer
}

extension ResponseWriterRoom {
    /// The answer of a direct handler, with the same headers as the ordinary way gives it; a failure is a problem document.
    func direct(_ answer: Result<WebResponse, any Error>, path: String) -> DirectResponse {
        switch answer {
        case .success(let answer): bare(answer)
        case .failure(let error):
            bare(problemAnswer(error, id: Hexadecimal.encode(SecureRandom.bytes(8)), path: path))
        }
    }

    private func bare(_ answer: WebResponse) -> DirectResponse {
        let bytes: [UInt8] = answer.storableBody ?? []
        var headers = rawHeaders(answer)
        headers[.contentLength] = String(bytes.count)
        headers[.date] = HTTPDate.now(configuration.clock)
        return DirectResponse(
            head: HTTPResponse(status: answer.status, headerFields: headers), body: ByteBuffer(bytes: bytes))
    }
}
