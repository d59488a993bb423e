"""The messages of the feed, and the numbers of their words (read off growwapi 1.5.0's descriptors)."""

from brokers.simulators.serving.protobuf import Messages

_PRICES = (
    "tsInMillis",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "value",
    "bidQty",
    "offerQty",
    "avgPrice",
    "highPriceRange",
    "lowPriceRange",
    "ltp",
    "openInterest",
    "lowTradeRange",
    "highTradeRange",
)

MESSAGES: Messages = {
    "StocksSocketResponseProtoDto": {
        "symbol": (1, "string"),
        "segment": (2, "enum"),
        "exchange": (3, "enum"),
        "stockLivePrice": (4, "StocksLivePriceProto"),
        "stocksMarketDepth": (5, "StocksMarketDepthProto"),
        "stocksLiveIndices": (6, "StocksLiveIndicesProto"),
    },
    "StocksLivePriceProto": {name: (number, "double") for number, name in enumerate(_PRICES, 1)},
    "StocksLiveIndicesProto": {"tsInMillis": (1, "double"), "value": (2, "double")},
    "StocksMarketDepthProto": {
        "tsInMillis": (1, "double"),
        "buyBook": (2, "map BookProto"),
        "sellBook": (3, "map BookProto"),
    },
    "BookProto": {"price": (1, "double"), "qty": (2, "double")},
    "OrderDetailsBroadCastDto": {
        "stageAndTimeStamp": (1, "repeated StageAndTimeStamp"),
        "orderDetailUpdateDto": (2, "OrderDetailUpdateDto"),
    },
    "StageAndTimeStamp": {"timeStampFromMidNight": (1, "double"), "stageName": (2, "string")},
    "OrderDetailUpdateDto": {
        "qty": (1, "int32"),
        "price": (2, "int64"),
        "triggerPrice": (3, "int64"),
        "filledQty": (4, "int32"),
        "remainingQty": (5, "int32"),
        "avgFillPrice": (6, "int64"),
        "growwOrderId": (7, "string"),
        "exchangeOrderId": (8, "string"),
        "orderStatus": (9, "enum"),
        "duration": (10, "enum"),
        "exchange": (11, "enum"),
        "segment": (12, "enum"),
        "product": (13, "enum"),
        "orderType": (14, "enum"),
        "buySell": (15, "enum"),
        "remark": (16, "string"),
        "contractId": (22, "string"),
        "guiOrderId": (23, "string"),
    },
}
"""Every message's fields: number and type, which is a scalar's, another message, or many of one."""

STATUSES = {
    word: number
    for number, word in enumerate(
        (
            "NEW",
            "ACKED",
            "TRIGGER_PENDING",
            "APPROVED",
            "REJECTED",
            "FAILED",
            "EXECUTED",
            "DELIVERY_AWAITED",
            "CANCELLED",
            "CANCELLATION_REQUESTED",
            "MODIFICATION_REQUESTED",
            "COMPLETED",
        )
    )
}
"""The number of each status that the enumeration has."""

UNHEARD_OF = 27
"""The number of a status that is none of them."""

DURATIONS = {"IOC": 0, "DAY": 1}
EXCHANGES = {"BSE": 0, "NSE": 1}
PRODUCTS = {"CNC": 0, "MIS": 1, "NRML": 4, "MTF": 6}
ORDER_TYPES = {"MARKET": 0, "LIMIT": 1, "SL": 2, "SL_M": 3}
SIDES = {"BUY": 0, "SELL": 1}
