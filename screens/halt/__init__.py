"""The emergency screen: scope, arming, progress and certificate."""
