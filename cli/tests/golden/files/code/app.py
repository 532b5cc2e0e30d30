PAYMENTS_V2 = "payments_v2"
