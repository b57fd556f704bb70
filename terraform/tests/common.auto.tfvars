# What every test of the configuration is given; a test file says only what it changes.
callback_key_secret_arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:callback-key-AbCdEf"
databases = {
  warehouse_url_secret_arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:warehouse-url-AbCdEf"
  customers_url_secret_arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:customers-url-AbCdEf"
}

region        = "eu-central-1"
factory_url   = "https://factory.example"
marketing_url = "https://marketing.example"
mail_from     = "restock@donut-states.example"
