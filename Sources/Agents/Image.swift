import FoundationEssentials

/// A picture a model is shown.
public struct Image: Sendable, Hashable {
    /// Where the picture is.
    public enum Source: Sendable, Hashable {
        /// At an address the provider can reach.
        case url(String)
        /// In the message itself.
        case data(mediaType: String, base64: String)
    }

    /// The most bytes of a picture in a message. Providers take between 5 and 20 MB; a photo of a screen has less than one.
    public static let limit = 5 * 1024 * 1024
    private static let mediaTypes = ["image/png", "image/jpeg", "image/gif", "image/webp"]

    /// Where the picture is.
    public let source: Source

    /// A picture at an address the provider can reach.
    public init(url: String) {
        self.source = .url(url)
    }

    /// A picture that travels with the message.
    ///
    /// - Throws: ``AgentError/Code/misconfigured`` for a kind no provider takes, and for more than ``limit`` bytes.
    public init(_ bytes: some Sequence<UInt8>, mediaType: String) throws(AgentError) {
        guard Self.mediaTypes.contains(mediaType) else {
            throw AgentError(
                .misconfigured,
                "Models take pictures of these kinds: \(Self.mediaTypes.joined(separator: ", "))."
            )
        }
        let data = Data(bytes)
        guard data.count <= Self.limit else {
            throw AgentError(.misconfigured, "The picture has \(data.count) bytes, of \(Self.limit) allowed.")
        }
        self.source = .data(mediaType: mediaType, base64: data.base64EncodedString())
    }

    /// The address, or a `data:` address with all of the picture.
    var address: String {
        switch source {
        case .url(let url): url
        case .data(let mediaType, let base64): "data:\(mediaType);base64,\(base64)"
        }
    }
}

/// `{"url":"…"}` or `{"mediaType":"image/png","base64":"…"}`.
extension Image: Codable {
    private enum Key: String, CodingKey {
        case url, mediaType, base64
    }

    /// Reads the stored form.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        if let url = try fields.decodeIfPresent(String.self, forKey: .url) {
            source = .url(url)
        } else {
            source = .data(
                mediaType: try fields.decode(String.self, forKey: .mediaType),
                base64: try fields.decode(String.self, forKey: .base64)
            )
        }
    }

    /// Writes the stored form.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        switch source {
        case .url(let url): try fields.encode(url, forKey: .url)
        case .data(let mediaType, let base64):
            try fields.encode(mediaType, forKey: .mediaType)
            try fields.encode(base64, forKey: .base64)
        }
    }
}
